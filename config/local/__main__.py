"""``python3 -m config.local COMMAND``: see `commands`.

This module and `pythons` must be readable by every Python 3: they say that a Python is too old, or go on
with a newer one.
"""

import os
import sys

from config.local import pythons


def main() -> int:
    if not pythons.is_suitable(sys.version_info[:2]):
        newer = pythons.find_on_path(os.environ)
        if newer is None:
            sys.stderr.write("meterbook: " + pythons.none_found(sys.version_info[:2]) + "\n")
            return 1
        os.execv(newer, [newer, "-m", "config.local", *sys.argv[1:]])  # noqa: S606
    from config.local import commands

    return commands.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
