"""A store that is put back to what it was, and recovered, with the desks as they are by now."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from syncd.app import store_path
from syncd.engine.recover import Recover, RecoverReport
from tests.engine.both_desks import BothDesks


def copy_of(path: Path, target: Path) -> Path:
    """The store as its last commit left it."""
    with (
        contextlib.closing(sqlite3.connect(path)) as store,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        store.backup(copy)
    return target


def put_back(desks: BothDesks, copy: Path) -> None:
    """By hand, as somebody does who knows nothing of syncd; the daemon is not there."""
    path = store_path(desks.config)
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    path.write_bytes(copy.read_bytes())


async def recovered(desks: BothDesks, *, is_dry: bool = False) -> RecoverReport:
    """What `syncd recover` does, while no daemon runs."""
    await desks.begin_life(is_recovering=True)
    work = Recover(
        store=desks.made.store,
        links=desks.made.links,
        reconciler=desks.made.reconciler,
        clock=desks.clock,
        is_dry=is_dry,
    )
    await work.begin(actor="test")
    report = await work.run()
    await desks.end_life()
    return report
