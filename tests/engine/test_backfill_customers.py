"""A backfill in which every ticket is another customer's: each made once, a hundred a request."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.platform.sandbox.seed import add_person
from connectors.zendesk.customers import FEWEST_TOGETHER
from syncd.core.model import Side
from tests.engine.backfilling import backfilled, kinds, silence
from tests.engine.both_desks import BothDesks, both_desks

_MANY = "/users/create_many"


def strangers(desks: BothDesks, count: int) -> dict[str, str]:
    """So many tickets, each of another customer: the name by the ticket."""
    tickets = {}
    for number in range(count):
        name = f"Kundin {number}"
        add_person(desks.platform.platform.register, name=name, role="customer")
        html = f"<p>Anliegen {number}</p>"
        desks.said.append(html)
        opened = desks.act(
            name, "open", subject="Betreff ohne Belang", body_html=html, view="acme-postgres"
        )
        tickets[str(opened["ticket"]["id"])] = name
    return tickets


def each_has_its_own(desks: BothDesks, tickets: dict[str, str]) -> None:
    """Assert that every customer is one user, and the requester of the own ticket."""
    users = desks.partners["acme"].desk.account.users
    for ticket_id, name in tickets.items():
        assert users[desks.twin(ticket_id).values["requester_id"]].name == name
    keys = Counter(user.external_id for user in users.values() if user.external_id is not None)
    assert len(keys) == len(tickets)
    assert set(keys.values()) == {1}


async def test_new_customers_cost_a_hundredth_of_a_write_each(tmp_path: Path) -> None:
    async with both_desks(tmp_path, allows_bulk_users=True) as desks:
        tickets = strangers(desks, 100)
        desks.forget_requests()
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (100, 0, 0)
        each_has_its_own(desks, tickets)
        asked = kinds(desks, Side.PARTNER)
        writes = {name: count for name, count in asked.items() if name.startswith("POST /api")}
        assert writes == {
            f"POST /api/v2{_MANY}": 1,
            "POST /api/v2/imports/tickets/create_many": 1,
        }
        # Looked for, looked at when they were made, and once more with the events of their tickets.
        assert asked["GET /api/v2/users/show_many"] <= 4
        assert asked["GET /api/v2/job_statuses/show_many"] == 2


async def test_an_account_that_makes_no_users_in_bulk_costs_a_write_each(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = strangers(desks, 30)
        desks.forget_requests()
        report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (30, 0, 0)
        each_has_its_own(desks, tickets)
        asked = kinds(desks, Side.PARTNER)
        assert (asked[f"POST /api/v2{_MANY}"], asked["POST /api/v2/users"]) == (1, 30)
        assert '"customers.alone"' in desks.log.getvalue()


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "truncate", "html"])
async def test_a_lost_answer_makes_nobody_twice(tmp_path: Path, action: str) -> None:
    async with both_desks(tmp_path, allows_bulk_users=True) as desks:
        tickets = strangers(desks, 40)
        applied: Any = {"is_applied": True} if action == "html" else {}
        desks.arm(Side.PARTNER, action, path=_MANY, times=2, **applied)
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (40, 0, 0)
        each_has_its_own(desks, tickets)
        # Of forty, a few may come behind the others, too few to share a request.
        assert kinds(desks, Side.PARTNER).get("POST /api/v2/users", 0) < FEWEST_TOGETHER


async def test_a_job_that_dies_leaves_the_rest_to_be_made_alone(tmp_path: Path) -> None:
    async with both_desks(tmp_path, allows_bulk_users=True, job_dies_after_rows=7) as desks:
        tickets = strangers(desks, 20)
        report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (20, 0, 0)
        each_has_its_own(desks, tickets)
