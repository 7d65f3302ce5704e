"""Files come under their names whole: made beside, for their owner's eyes only, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.private_file import open_private
from syncd.store.file import unavailable

#: What SQLite keeps beside a file; one that belongs to another file would be read into it.
COMPANIONS = ("-wal", "-shm")


@contextlib.contextmanager
def beside(target: Path, *, is_stores: bool = False) -> Iterator[Path]:
    """A new private file in the target's folder, gone at the end unless it got the name.

    What `is_stores` is the daemon's to open; a copy is for whoever asked for it.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    temporary.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    os.close(open_private(temporary, flags) if is_stores else os.open(temporary, flags, 0o600))
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def loud(path: Path) -> Iterator[None]:
    """Errors of the disk and of SQLite come out as `StoreUnavailable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise unavailable(error, path=path) from error
    except OSError as error:
        raise unavailable(error, path=Path(error.filename or path)) from error


def require_free(target: Path, *, may_replace: bool, store: Path) -> None:
    """Raises `StoreUnavailable` where nothing may be put, such as over the store itself."""
    if target.exists() and (not target.is_file() or (store.exists() and target.samefile(store))):
        raise StoreUnavailable(f"{target}: is no place for a copy", hint="Name another file.")
    if target.exists() and not may_replace:
        raise StoreUnavailable(
            f"{target}: is there already", hint="Name another file, or say `--replace`."
        )


def drop_companions(path: Path) -> None:
    """A log that lost its file is nobody's, and must not be read into another one."""
    for ending in COMPANIONS:
        Path(f"{path}{ending}").unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Without this a power cut may leave the file without its name."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
