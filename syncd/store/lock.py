"""One owner at a time: a lock on a file beside the store, let go by the kernel when its process
dies.

The daemon is one owner, each link's backfill another. Whoever holds an owner's lock knows that
every lease which that owner left behind belongs to a dead process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from syncd.core.errors import StoreUnavailable
from syncd.private_file import open_private


class OwnerLock:
    """Held from entering to leaving; raises `StoreUnavailable` at once when another process holds
    it.
    """

    def __init__(self, store_path: str | os.PathLike[str], owner: str) -> None:
        self._path = Path(f"{os.fspath(store_path)}.{owner}.lock")
        self._owner = owner
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreUnavailable(
                f"another process already runs as {self._owner} on this store",
                hint="Stop the other one first; `syncd status` works beside it.",
            ) from error
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The file stays: removing it would let two processes hold locks on two files of one name.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextlib.contextmanager
def nobody_at_work(path: Path) -> Iterator[None]:
    """Hold every owner's lock of the store. Raises `StoreUnavailable` when one is taken."""
    with contextlib.ExitStack() as held:
        names = {*path.parent.glob(f"{path.name}.*.lock"), Path(f"{path}.daemon.lock")}
        for lock in sorted(names):
            descriptor = open_private(lock, os.O_RDWR | os.O_CREAT)
            held.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                owner = lock.name.removeprefix(f"{path.name}.").removesuffix(".lock")
                raise StoreUnavailable(
                    f"another process runs as {owner} on this store",
                    hint="Stop it first: the file under it would be another one.",
                ) from error
        yield
