"""Where Debian put Request Tracker 5, and what to do on a machine that has none.

Nothing is installed from here: `.ci/install-request-tracker` does that, for a person or for CI.
"""

from __future__ import annotations

import os
from pathlib import Path

LIBRARY = Path("/usr/share/request-tracker5/lib")
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
SET_UP_DATABASE = Path("/usr/sbin/rt-setup-database-5")
PERL = Path("/usr/bin/perl")
#: The web server is a package of its own.
WEB_SERVER = Path("/usr/share/perl5/Plack/Handler/Starlet.pm")
#: So is the database's driver, below a folder that is named after processor and Perl.
DRIVERS = Path("/usr/lib")
_DRIVER = "*/perl5/*/DBD/SQLite.pm"

INSTALL_COMMAND = ".ci/install-request-tracker"
INSTALL_HINT = (
    f"`{INSTALL_COMMAND}` in the project's folder installs Debian's packages of it, as root or by"
    " sudo; it starts no service and makes no database."
)


class NotInstalled(Exception):
    """This machine has no Request Tracker 5 that can be started; `INSTALL_HINT` says what to do."""


def require_installed() -> None:
    """Return where a private Request Tracker can be started. Raises NotInstalled."""
    needed = (LIBRARY, SERVER, SET_UP_DATABASE, PERL, WEB_SERVER)
    missing = [str(path) for path in needed if not path.exists()]
    if not any(DRIVERS.glob(_DRIVER)):
        missing.append(str(DRIVERS / _DRIVER))
    if missing:
        raise NotInstalled(
            f"Request Tracker 5 is not installed, or not all of it: there is no {missing[0]}"
        )


def environment(folder: Path) -> dict[str, str]:
    """What every program of RT needs to know of a private instance in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "RT_SITE_CONFIG": str(folder / "RT_SiteConfig.pm"),
        "RT_SITE_CONFIG_DIR": str(folder / "conf.d"),
        "PERL5LIB": str(LIBRARY),
    }
