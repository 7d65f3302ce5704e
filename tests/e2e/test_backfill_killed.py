"""A backfill that dies of SIGKILL at any of its requests, and is run again as if nothing had been.

Each seed chooses a desk, one of the requests that reach it, and the moment: before the desk applied
it, between applied and answered, or a little after the answer left, when a commit is under way.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from connectors.sandbox import Fault, Sandbox
from tests.e2e.old_view import STAFF, VIEW, OldView, old_view

SEEDS = range(30)
_OLD_PAIRS, _TICKETS, _PAGE = 16, 210, 100
_LONGEST_LIFE_SECONDS = 0.05
#: What a death may cost in requests beyond an uninterrupted run: the account's jobs, the tickets of
#: all updates that may be on their way at once, the thread of each that has moved, and a start.
_MOST_REPEATED = 18


def an_old_view(folder: Path, view: OldView) -> None:
    """Some pairs that have moved since, on both desks, and many tickets without a twin."""
    pairs = view.fill(_OLD_PAIRS, seed=1)
    view.calendar.days_ago = 1
    view.run_here()
    view.calendar.days_ago = 0
    wanted = [ticket_id for ticket_id in pairs if ticket_id not in view.unwanted]
    for number, ticket_id in enumerate(wanted):
        _move(view, number % 6, ticket_id)
    view.fill(_TICKETS, seed=2)


def _move(view: OldView, way: int, ticket_id: str) -> None:
    number = view.ticket(ticket_id).number
    word, other = view.word(number), view.word(number)
    match way:
        case 0:
            view.say(ticket_id, word, views=[VIEW])
            view.act(STAFF, "update", ticket_id=ticket_id, status="Open", add_tags=["t-moved"])
        case 1:
            # What is public waits, and so does what was said after it.
            view.say(ticket_id, word)
            view.say(ticket_id, other, views=[VIEW])
            view.kept_back |= {word, other}
        case 2:
            view.answer(ticket_id, comment={"html": f"<p>Text {word}</p>", "public": False})
        case 3:
            view.answer(ticket_id, comment={"html": f"<p>Text {word}</p>", "public": True})
            view.answer(ticket_id, comment={"html": f"<p>Text {other}</p>", "public": False})
            view.kept_back |= {word, other}
        case 4:
            text = f"<p>Text {word}</p><p>Reassign to Heroku</p>"
            view.answer(ticket_id, comment={"html": text, "public": False})
            view.notes[ticket_id] += 1
        case _:
            pass


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """How many requests each desk gets when nobody dies."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    with old_view(folder) as view:
        an_old_view(folder, view)
        before = view.request_counts()
        view.run()
        after = view.request_counts()
    return after[0] - before[0], after[1] - before[1]


def a_death(view: OldView, seed: int, counts: tuple[int, int]) -> tuple[Sandbox, Fault, float]:
    """At which request of which desk, and how long after it."""
    dice = random.Random(seed)
    place = dice.randrange(2)
    sandbox = (view.platform, view.partner)[place]
    moment = dice.choice(["before", "after", "later"])
    fault = Fault(
        action="hold_before" if moment == "before" else "hold_after",
        skip=dice.randrange(counts[place] - 1),
    )
    later = 0.001 + dice.random() * _LONGEST_LIFE_SECONDS if moment == "later" else 0.0
    return sandbox, fault, later


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_backfill_that_is_run_again_ends_as_if_it_had_lived(
    seed: int, tmp_path: Path, uninterrupted: tuple[int, int]
) -> None:
    with old_view(tmp_path) as view:
        an_old_view(tmp_path, view)
        told, before = (view.mails(), view.triggered()), sum(view.request_counts())
        sandbox, fault, later = a_death(view, seed, uninterrupted)

        assert view.run_killed(sandbox, fault, later_seconds=later), "it lived"
        report = view.run()

        assert view.differences() == []
        assert (view.mails(), view.triggered()) == told
        assert (report["pairs_waiting"], report["pairs_parked"]) == (0, 0)
        reported = {row["platform_ticket"] for row in report["left_out"]}
        assert reported == _holding_back(view)
        repeated = sum(view.request_counts()) - before - sum(uninterrupted)
        assert repeated <= _MOST_REPEATED

        if seed % 5 == 0:
            view.platform.log.clear()
            view.partner.log.clear()
            again = view.run()
            assert (again["writes"], again["new_pairs"]) == (0, 0)
            pages = math.ceil(len(view.platform.platform.register.tickets) / _PAGE)
            assert view.asked() == {
                "GET /tickets": pages,
                "POST /oauth/tokens": 1,
                "GET /api/v2/tickets/show_many": pages,
            }


def _holding_back(view: OldView) -> set[str]:
    numbers = {int(word[1:].partition("x")[0]) for word in view.kept_back}
    tickets = view.platform.platform.register.tickets.values()
    return {ticket.id for ticket in tickets if ticket.number in numbers}
