"""A store that lost its tail at any commit, with the desks as they are later: nothing comes twice.

Each kind of work is done to its end, and the file is copied after every commit. Then each copy is
put back by hand, noticed, and recovered: both desks must stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.core.errors import StoreOlder
from tests.crash.fuses import FuseBox
from tests.crash.kinds import KINDS, Tickets
from tests.crash.matrix import differing_in
from tests.crash.older import copy_of, put_back, recovered
from tests.crash.shown import counted, shown
from tests.engine.both_desks import both_desks


@pytest.mark.slow
@pytest.mark.parametrize("stamps", ["readable", "hidden"])
@pytest.mark.parametrize("name", KINDS)
async def test_put_back_to_any_commit_and_recovered_both_desks_stay_as_they_are(
    tmp_path: Path, name: str, stamps: str
) -> None:
    kind, copies = KINDS[name], list[Path]()

    def keep(path: Path) -> tuple[()]:
        copies.append(copy_of(path, tmp_path / f"copy-{len(copies)}.db"))
        return ()

    is_readable = stamps == "readable"
    box = FuseBox(watch=keep)
    changed: list[str] = []
    async with both_desks(tmp_path, metadata_readable=is_readable, **kind.settings) as desks:
        tickets: Tickets = [] if kind.before is None else await kind.before(desks)
        tickets = await kind.deed(desks, tickets)
        await desks.end_life()
        with box.installed():
            box.renew()
            await desks.begin_life()
            await kind.work(desks)
            await desks.settle()
            end, count = await shown(desks, tickets, has_records=False), counted(desks)
            await desks.end_life()
        for number, copy in enumerate(copies[:-1]):
            put_back(desks, copy)
            with pytest.raises(StoreOlder):
                await desks.begin_life()
            await recovered(desks)
            await desks.begin_life()
            await kind.work(desks)
            await desks.settle()
            now = await shown(desks, tickets, has_records=False)
            changed += [f"commit {number}: {found}" for found in differing_in(end, now)]
            if counted(desks) != count:
                changed.append(f"commit {number}: {counted(desks)}, not {count}")
            await desks.end_life()
        await desks.begin_life()
    assert changed == []
