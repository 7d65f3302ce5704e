"""Whatever syncd does, and wherever it is cut off: both desks end as if nothing had been.

Each kind of work is done once undisturbed, which tells its fuse points: around every commit and
every request. Then each point is burnt on tickets of its own, and both desks must end with the same
words, files, statuses, tags, tickets, customers and mails, in the same order and number.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.fuses import FuseBox
from tests.crash.kinds import KINDS
from tests.crash.matrix import (
    all_traits,
    differing,
    journaled,
    lived,
    traits_of,
    worth_burning,
)
from tests.crash.shown import renamed
from tests.engine.both_desks import both_desks


def test_numbers_are_named_only_where_they_stand_whole() -> None:
    text = "#40 at 127.0.0.1:40133/tickets/40, of 1402"
    assert renamed(text, {"40": "TWIN1"}) == "#TWIN1 at 127.0.0.1:40133/tickets/TWIN1, of 1402"


@pytest.mark.slow
@pytest.mark.parametrize("stamps", ["readable", "hidden"])
@pytest.mark.parametrize("name", KINDS)
async def test_cut_off_at_any_point_both_desks_end_as_if_nothing_had_been(
    tmp_path: Path, name: str, stamps: str
) -> None:
    kind, box = KINDS[name], FuseBox()
    is_readable = stamps == "readable"
    changed: list[str] = []
    uncut: list[str] = []
    with box.installed():
        async with both_desks(tmp_path, metadata_readable=is_readable, **kind.settings) as desks:
            # The first life on a desk leaves what the later ones find, such as a customer.
            await lived(desks, box, kind)
            undisturbed = await lived(desks, box, kind)
            sent = [point.what for point in undisturbed.points]
            assert kind.sends == "" or kind.sends in sent
            for number in worth_burning(undisturbed.points, kind, every=is_readable):
                life = await lived(desks, box, kind, number)
                point = f"{number}, {undisturbed.points[number]}"
                changed += [f"{point}: {found}" for found in differing(undisturbed, life)]
                if not life.is_cut:
                    uncut.append(f"{point} of {len(life.points)}")
    assert changed == []
    # A life that had fewer points was over before the last ones.
    assert len(uncut) <= (len(undisturbed.points) // 5 if kind.is_abreast else 0), uncut


@pytest.mark.slow
async def test_every_operation_and_each_of_its_parts_is_in_the_matrix(tmp_path: Path) -> None:
    found: set[str] = set()
    for number, kind in enumerate(KINDS.values()):
        box = FuseBox(watch=journaled)
        folder = tmp_path / str(number)
        folder.mkdir()
        with box.installed():
            async with both_desks(folder, **kind.settings) as desks:
                life = await lived(desks, box, kind)
        found |= traits_of(life.intents)
    assert all_traits() - found == set()
