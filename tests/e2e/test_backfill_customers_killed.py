"""A backfill of strangers that dies while their users are made, or before their tickets are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connectors.sandbox import Fault
from connectors.sandbox.faults import Action
from tests.e2e.old_view import OldView, old_view

_TICKETS = 60
_USERS, _IMPORTS = "/users/create_many", "/imports/tickets/create_many"


def strangers(view: OldView) -> Counter[str]:
    """How many users there are of each key, and none else but the account's own people."""
    users = view.partner.desk.account.users.values()
    return Counter(user.external_id for user in users if user.external_id is not None)


@pytest.mark.slow
@pytest.mark.parametrize("action", ["hold_before", "hold_after"])
@pytest.mark.parametrize("path", [_USERS, _IMPORTS])
def test_each_customer_is_made_once(tmp_path: Path, action: Action, path: str) -> None:
    with old_view(tmp_path, zendesk={"allows_bulk_users": True}) as view:
        tickets = view.fill(_TICKETS, seed=3, are_strangers=True)
        wanted = [ticket_id for ticket_id in tickets if ticket_id not in view.unwanted]

        assert view.run_killed(view.partner, Fault(action=action, path=path)), "it lived"
        report = view.run()

        assert view.differences() == []
        assert (report["pairs_waiting"], report["pairs_parked"]) == (0, 0)
        made = strangers(view)
        assert set(made.values()) == {1}
        twins = list(view.partner.desk.account.tickets.values())
        requesters = {twin.values["requester_id"] for twin in twins}
        assert len(made) == len(requesters) == len(twins) == len(wanted)
        asked = view.asked()
        again = int((action, path) == ("hold_before", _USERS))
        assert asked[f"POST /api/v2{_USERS}"] == 1 + again
        assert "POST /api/v2/users" not in asked
