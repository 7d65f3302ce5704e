"""Before a file's schema is changed: nobody runs on it, and a copy is put beside it.

The copy is the way back to the old syncd. There is one such copy at most: the one before takes its
leave when the next is whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.store.backup import copy_pages
from syncd.store.lock import nobody_at_work
from syncd.store.placing import beside, sync_folder

_WORD = ".schema-"


def make_way(path: Path, revision: str) -> None:
    """See that nobody runs pairs on the file, then `keep_copy`.

    An older syncd would go on with a schema that it does not know, and not come up again. Whoever
    starts meanwhile waits for the transaction in which this is called. Raises what that does.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(nobody_at_work(path))
        except StoreUnavailable as busy:
            raise StoreUnavailable(
                f"{path}: has schema {revision}, which this syncd would change, but {busy}",
                hint="Stop it first: an older syncd cannot go on with the new schema.",
            ) from busy
        keep_copy(path, revision)


def keep_copy(path: Path, revision: str) -> None:
    """Copy the file as its last commit left it, as `syncd.db.schema-0010`.

    Raises `StoreUnavailable` where there is no room for it, `OSError` and `sqlite3.Error`; then
    nothing has changed.
    """
    target = Path(f"{path}{_WORD}{revision}")
    needed = sum(_size(Path(f"{path}{ending}")) for ending in ("", "-wal"))
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise StoreUnavailable(
            f"{path}: a copy is made before the schema changes, and has no room: it takes"
            f" {_megabytes(needed)}, and {_megabytes(free)} are free",
            hint="Free some space and start again; nothing has changed, and the former syncd still"
            " runs on it.",
        )
    with beside(target, is_stores=True) as temporary:
        copy_pages(path, temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, target)
        sync_folder(target)
    for former in copies_of(path):
        if former != target:
            former.unlink()


def copies_of(path: Path) -> list[Path]:
    """The copies that upgrades have left beside a store."""
    return sorted(path.parent.glob(f"{path.name}{_WORD}*"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
