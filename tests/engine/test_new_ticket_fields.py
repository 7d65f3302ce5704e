"""New tickets are filled in from the platform's metadata, or wait with a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.zendesk.sandbox.settings import AREA_FIELD
from syncd.core.model import Side
from tests.engine.both_desks import LINK, both_desks

PLACE = """\
partner:
  connection: acme
  group: Heroku
  priority: {metadata: plan, values: {premium-0: urgent}, default: low}
  fields:
    Product area: {metadata: plan, values: {premium-0: area_database, odd: area_of_nobody}}
"""


async def test_metadata_fills_in_priority_and_fields_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=PLACE, triggers=()) as desks:
        rich = desks.open_ticket(metadata={"plan": "premium-0"})
        poor = desks.open_ticket(metadata={"app": "shop"})
        await desks.settle()
        assert desks.twin(rich).values["priority"] == "urgent"
        assert desks.twin(rich).custom[AREA_FIELD] == "area_database"
        assert desks.twin(poor).values["priority"] == "low"
        assert desks.twin(poor).custom[AREA_FIELD] is None
        # The option's tag is the field's, and nobody's news.
        assert "area_database" not in desks.ticket(rich).tags


async def test_an_option_that_is_not_there_parks_the_birth_until_it_is_mended(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, link=PLACE, triggers=()) as desks:
        odd = desks.open_ticket(metadata={"plan": "odd"})
        fine = desks.open_ticket(metadata={"plan": "premium-0"})
        await desks.settle()
        reason, hint = await desks.parked(odd)
        assert reason == "refused"
        assert "no option “area_of_nobody”" in hint
        assert desks.twins(odd) == []
        assert desks.twin(fine).values["priority"] == "urgent"


@pytest.mark.parametrize("lag_seconds", [0.0, 600.0])
async def test_a_lost_creation_makes_one_twin_however_late_the_listing_is(
    tmp_path: Path, lag_seconds: float
) -> None:
    async with both_desks(
        tmp_path, link=PLACE, triggers=(), listing_lag_seconds=lag_seconds
    ) as desks:
        desks.arm(Side.PARTNER, "drop_after", kind="write", path="/api/v2/tickets")
        ticket = desks.open_ticket(metadata={"plan": "premium-0"})
        await desks.settle()
        assert len(desks.twins(ticket)) == 1
        assert (await desks.pair(ticket)).link == LINK
