"""Killed at any commit, the store holds what it acknowledged and nothing by halves."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from syncd.core.errors import StoreUnavailable
from syncd.core.model import PairId
from syncd.store import open_store
from tests.contract.store_story import load
from tests.crash.store_story import STORY, dump, tell
from tests.support.build import a_mapping

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = ("before_commit", "after_commit")


class Blown(Exception):
    """What a burnt fuse leaves behind."""


class FuseAt:
    """Blows at one moment of one commit, counted from 0."""

    def __init__(self, commit: int, moment: str) -> None:
        self._left = commit
        self._moment = moment

    def __call__(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left < 0:
                raise Blown


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Sequence[str]]:
    """What the file holds after none, one, two ... units of the undisturbed story."""
    path = tmp_path_factory.mktemp("undisturbed") / "syncd.db"
    found: list[Sequence[str]] = []

    async def watch() -> None:
        store = open_store(path, is_durable=False)
        found.append(dump(path))
        await tell(store, acknowledged=lambda _: found.append(dump(path)))
        await store.close()

    asyncio.run(watch())
    assert len({tuple(state) for state in found}) == len(STORY) + 1, "every unit leaves a trace"
    return found


@pytest.mark.parametrize("commit", range(len(STORY)))
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_writer_that_dies_leaves_whole_units(
    tmp_path: Path, states: Sequence[Sequence[str]], commit: int, moment: str
) -> None:
    store = open_store(tmp_path / "syncd.db", fuse=FuseAt(commit, moment))
    acknowledged: list[int] = []
    with pytest.raises(StoreUnavailable):
        await tell(store, acknowledged=acknowledged.append)
    await store.close()
    assert acknowledged == list(range(commit))
    assert dump(tmp_path / "syncd.db") == states[commit + (moment == "after_commit")]


@pytest.mark.parametrize("commit", range(len(STORY)))
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_is_killed_leaves_whole_units(
    tmp_path: Path, states: Sequence[Sequence[str]], commit: int, moment: str
) -> None:
    acknowledged = killed_at(tmp_path / "syncd.db", commit, moment, "one by one")
    assert acknowledged == list(range(commit))
    assert dump(tmp_path / "syncd.db") == states[commit + (moment == "after_commit")]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_process_that_is_killed_among_many_units_keeps_each_whole(
    tmp_path: Path, moment: str
) -> None:
    path = tmp_path / "syncd.db"
    acknowledged = killed_at(path, 2, moment, "at once")
    dump(path)
    store = open_store(path)
    whole: list[int] = []
    for pair in await store.find_pairs():
        run = await load(store, pair.pair_id)
        number = pair.pair_id - 1
        is_there = run.base.comments == (a_mapping("1", f"{number}"),)
        assert [len(run.sent), int(not run.pair.is_dirty)] == [int(is_there)] * 2
        whole += [number] if is_there else []
    await store.close()
    # What was committed last may not have been told any more.
    assert set(acknowledged) <= set(whole)
    assert len(whole) < 60


async def test_what_a_killed_process_left_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    killed_at(path, 1, "after_commit", "one by one")
    store = open_store(path)
    run = await load(store, PairId(1))
    assert len(run.sent) == 1, "the write that left is on record"
    assert run.pair.pair_id in dict(await store.load_due(run.sent[0].sent_at))
    await store.close()


def killed_at(path: Path, commit: int, moment: str, story: str) -> list[int]:
    """The units that a process acknowledged before it was killed there."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.crash.store_story", path, str(commit), moment, story],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    return [int(line) for line in child.stdout.split()]
