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
#: The backend and the web server are packages of their own.
SQLITE_BACKEND = Path("/usr/share/perl5/DBD/SQLite.pm")
WEB_SERVER = Path("/usr/share/perl5/Plack/Handler/Starlet.pm")

INSTALL_COMMAND = "sudo .ci/install-request-tracker"
INSTALL_HINT = (
    f"`{INSTALL_COMMAND}` in the project's folder installs Debian's packages of it; it starts"
    " no service and makes no database."
)


class NotInstalled(Exception):
    """This machine has no Request Tracker 5 that can be started; `INSTALL_HINT` says what to do."""


def require_installed() -> None:
    """Return where a private Request Tracker can be started. Raises NotInstalled."""
    missing = [path for path in (LIBRARY, SERVER, SET_UP_DATABASE, PERL) if not path.exists()]
    if missing:
        raise NotInstalled(f"Request Tracker 5 is not installed: there is no {missing[0]}")


def environment(folder: Path) -> dict[str, str]:
    """What every program of RT needs to know of a private instance in `folder`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "RT_SITE_CONFIG": str(folder / "RT_SiteConfig.pm"),
        "RT_SITE_CONFIG_DIR": str(folder / "conf.d"),
        "PERL5LIB": str(LIBRARY),
    }
