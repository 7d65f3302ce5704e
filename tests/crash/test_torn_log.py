"""The power fails: what was never synced of the log is gone or torn, what was acknowledged is not.

The file and its write-ahead log are taken as they are after every unit, and the log is cut within
the next unit's part: at its edges, in the middle of a page, and with noise in place of what a disk
had not written yet.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from syncd.store import open_store
from tests.crash.store_story import STORY, dump, tell


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What lay on the disk after a unit, and what a reader sees in it."""

    file: bytes
    log: bytes
    state: Sequence[str]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Taken]:
    """The disk after none, one, two ... units of the story."""
    path = tmp_path_factory.mktemp("told") / "syncd.db"
    found: list[Taken] = []

    def take(_number: int = 0) -> None:
        # While the store holds it open, a reader's end does not fold the log back.
        log = Path(f"{path}-wal").read_bytes()
        found.append(Taken(file=path.read_bytes(), log=log, state=dump(path)))

    async def watch() -> None:
        store = open_store(path)
        take()
        await tell(store, acknowledged=take)
        await store.close()

    asyncio.run(watch())
    return found


def put(folder: Path, file: bytes, log: bytes) -> Path:
    path = folder / "syncd.db"
    path.write_bytes(file)
    Path(f"{path}-wal").write_bytes(log)
    return path


def tears(before: bytes, after: bytes, seed: int) -> list[bytes]:
    """What may be left of the log when the power fails while a unit is written."""
    dice = random.Random(seed)
    assert after[: len(before)] == before, "the log only grows in so short a story"
    new = len(after) - len(before)
    places = {0, 1, new // 2, new - 1, *(dice.randrange(new) for _ in range(6))}
    cut = [after[: len(before) + place] for place in sorted(places)]
    noisy = [torn + dice.randbytes(len(after) - len(torn)) for torn in cut[:-1]]
    return cut + noisy


@pytest.mark.parametrize("unit", range(len(STORY)))
def test_a_torn_log_leaves_every_acknowledged_unit_whole(
    tmp_path: Path, taken: Sequence[Taken], unit: int
) -> None:
    before, after = taken[unit], taken[unit + 1]
    for number, torn in enumerate(tears(before.log, after.log, unit)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert dump(put(folder, after.file, torn)) == before.state
    whole = tmp_path / "whole"
    whole.mkdir()
    assert dump(put(whole, after.file, after.log)) == after.state


async def test_a_power_cut_that_takes_the_marker_along_is_no_older_store(
    tmp_path: Path, taken: Sequence[Taken]
) -> None:
    path = put(tmp_path, taken[-1].file, taken[-1].log)
    store = open_store(path)
    assert not (await store.age()).is_older
    await store.close()


async def test_a_log_that_is_lost_whole_is_an_older_store(
    tmp_path: Path, taken: Sequence[Taken]
) -> None:
    path = put(tmp_path, taken[-1].file, taken[-1].log)
    # Its commits were seen: what is beside the store is younger than what is left of it.
    await open_store(path).close()
    put(tmp_path, taken[0].file, b"")
    store = open_store(path)
    assert (await store.age()).is_older
    await store.close()
