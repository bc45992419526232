"""What every test may use: the servers named here, and nothing else that is not named in the test."""

from hypothesis import settings

pytest_plugins = ["tests.servers", "tests.postgres"]

# A machine that is busy with something else is slow, which is no fault of the example.
settings.register_profile("meterbook", deadline=None)
settings.load_profile("meterbook")
