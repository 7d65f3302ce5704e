"""How quick syncd is, on its own page: seconds from a change seen to the write that it caused."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from syncd.core.model import Side
from syncd.core.verdict import Level, Verdict
from syncd.web.metrics import Page
from tests.engine.both_desks import BothDesks, both_desks
from tests.engine.wiring import VIEWS

SECONDS = "syncd_delivered_lag_seconds"


def told(desks: BothDesks, to: str) -> tuple[float, float]:
    """How many changes reached a side, and how long they took together."""
    page = Page(now=desks.clock.now(), version="9.9", verdict=Verdict(level=Level.OK))
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(desks.made.metrics.render(page).decode())
        for sample in family.samples
        if sample.labels == {"link": VIEWS["acme"], "direction": f"to_{to}"}
    }
    return found[f"{SECONDS}_count"], found[f"{SECONDS}_sum"]


async def test_a_change_counts_in_its_direction_from_when_it_was_seen(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        assert (told(desks, "partner"), told(desks, "platform")) == ((0, 0), (0, 0))
        ticket = desks.open_ticket()
        await desks.settle()
        # The twin's birth, and nothing for the platform.
        count, _ = told(desks, "partner")
        assert count > 0
        assert told(desks, "platform") == (0, 0)

        await desks.answer(ticket, "<p>Antwort</p>")
        await desks.settle()
        assert told(desks, "platform")[0] == 1
        # Our own writes come back as webhooks and rows; they are no changes.
        assert told(desks, "partner")[0] == count


async def test_a_desk_that_is_away_makes_it_long_and_no_echo_of_it_remains(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket = desks.open_ticket()
        await desks.settle()
        count, seconds = told(desks, "partner")
        desks.write(ticket, "<p>noch da?</p>")
        desks.arm(Side.PARTNER, "status", status=503, times=None)
        for _ in range(5):
            await desks.round()
        assert told(desks, "partner") == (count, seconds), "it is not delivered"
        desks.disarm()
        await desks.settle()
        late = told(desks, "partner")
        assert late[0] == count + 1
        assert late[1] - seconds >= 300

        desks.write(ticket, "<p>danke</p>")
        await desks.settle()
        assert told(desks, "partner") == (late[0] + 1, late[1])
