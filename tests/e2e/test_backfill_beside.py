"""A backfill beside a running daemon: two processes on one store, and people at work meanwhile."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from syncd.cli.demo.processes import start_daemon
from tests.e2e.old_view import CUSTOMER, STAFF, VIEW, OldView, old_view

_OLD_PAIRS, _TICKETS = 12, 160
_PAUSE_SECONDS = 0.03
_MOST_SECONDS = 60.0
_FEWEST_DEEDS = 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_people_do_during_a_backfill_arrives_once(seed: int, tmp_path: Path) -> None:
    with old_view(tmp_path) as view:
        view.calendar.days_ago = 1
        pairs = view.fill(_OLD_PAIRS, seed=seed)
        view.calendar.days_ago = 1
        view.run_here()
        tickets = view.fill(_TICKETS, seed=seed + 1)
        daemon = start_daemon(tmp_path / "syncd.yaml")
        try:
            _await_first_poll(view)
            view.is_live = True
            process = view.start()
            dice, deeds = random.Random(seed), 0
            while process.poll() is None:
                deeds += _act(view, dice, [*pairs, *tickets])
                time.sleep(_PAUSE_SECONDS)
            process.communicate()
            assert process.returncode == 0
            assert deeds >= _FEWEST_DEEDS, "it was over before anybody did anything"
            _await_equal(view)
        finally:
            assert daemon.stop() == 0
        assert len(view.partner.desk.account.tickets) == len([*pairs, *tickets]) - len(
            view.unwanted
        )


def _await_first_poll(view: OldView) -> None:
    """Until the daemon knows where both feeds stood before anybody did anything."""
    until = time.monotonic() + _MOST_SECONDS
    while not _feeds_read(view):
        assert time.monotonic() < until, "no poll"
        time.sleep(_PAUSE_SECONDS)


def _feeds_read(view: OldView) -> bool:
    here = any("/changes" in entry.path for entry in view.platform.log.since(0))
    there = [e for e in view.partner.log.since(0) if "/incremental/" in e.path and e.status == 200]
    return here and len(there) > 2


def _act(view: OldView, dice: random.Random, tickets: list[str]) -> int:
    """Somebody does something to some ticket on either desk; 0 when there was nobody to do it."""
    ticket_id = dice.choice(tickets)
    if ticket_id in view.unwanted:
        return 0
    word = view.word(view.ticket(ticket_id).number)
    match dice.randrange(5):
        case 0:
            view.say(ticket_id, word, who=CUSTOMER)
        case 1:
            view.say(ticket_id, word, views=[VIEW])
        case 2:
            view.act(STAFF, "update", ticket_id=ticket_id, add_tags=[f"t-live-{dice.randrange(9)}"])
        case _ if view.twins(ticket_id):
            comment = {"html": f"<p>Text {word}</p>", "public": dice.random() < 0.5}
            view.answer(ticket_id, comment=comment)
        case _:
            return 0
    return 1


def _await_equal(view: OldView) -> None:
    until = time.monotonic() + _MOST_SECONDS
    while left := view.differences():
        assert time.monotonic() < until, left
        time.sleep(0.2)
    # What comes doubled comes late.
    time.sleep(2)
    assert view.differences() == []
