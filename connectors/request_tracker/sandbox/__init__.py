"""Request Tracker itself, private and on loopback, for the demo, the contract suite and the story.

The other desks in miniature imitate; this one is Debian's package with a database of its own, and
the chassis in front of it for faults and the request log. Reading order: installed.py,
site_config.py, seed.pl, instance.py, desk.py.
"""

from connectors.request_tracker.sandbox.desk import RequestTrackerDesk
from connectors.request_tracker.sandbox.installed import (
    INSTALL_COMMAND,
    INSTALL_HINT,
    NotInstalled,
    require_installed,
)
from connectors.request_tracker.sandbox.instance import Instance, NotWorking, run_perl

__all__ = [
    "INSTALL_COMMAND",
    "INSTALL_HINT",
    "Instance",
    "NotInstalled",
    "NotWorking",
    "RequestTrackerDesk",
    "require_installed",
    "run_perl",
]
