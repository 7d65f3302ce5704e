"""Files that syncd keeps for itself: their owner alone may read them, and the daemon is that owner.

A command that root types makes files, too: under systemd hardly anybody else can. They go to
whom their folder belongs to, or the daemon could not open them afterwards.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that has mode 0600 if it is made here. Raises `OSError`.

    A symbolic link is refused: it could have root make, or give away, a file somewhere else.
    """
    wanted = flags | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, wanted, 0o600)
    try:
        _give(descriptor, path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _give(descriptor: int, folder: Path) -> None:
    """What root has in hand becomes the folder's owner's."""
    if os.geteuid() != 0:
        return
    found, owner = os.fstat(descriptor), folder.stat()
    # A second name may be a file of the system's that somebody has put here.
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
