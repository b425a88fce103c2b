"""The one script behind every command of the project: ``python3 site/scripts/house.py help``.

Standard library only, because it runs before anything is installed; the Makefile only calls it.
This file checks the Python it runs on before it imports its neighbors (``house_*.py``), so that an
older Python gets one clear line instead of a syntax error.
"""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)


def newer_python() -> "str | None":
    """Return a Python on the PATH that is new enough, newest first, or None."""
    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)  # noqa: UP031 - read by old Pythons too
        # A shim may be on the PATH without the Python behind it, so each is tried.
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def main() -> int:
    """Find a Python that will do, then hand over to the commands."""
    if sys.version_info < OLDEST:
        found = newer_python()
        if found is None:
            sys.stderr.write(
                "This project needs Python 3.11 or newer; this is Python %d.%d (%s). "  # noqa: UP031
                "Install a newer one and try again.\n"
                % (sys.version_info[0], sys.version_info[1], sys.executable)
            )
            return 1
        return subprocess.call([found, os.path.abspath(__file__), *sys.argv[1:]])
    from house_commands import run_command

    return run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
