"""The product's settings, plus what only tests may do."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES

# Between cases that need real commits the tables are emptied, which the database otherwise refuses.
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"]["OPTIONS"],
    "options": DATABASES["default"]["OPTIONS"]["options"] + " -c meterbook.allow_truncate=on",
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
