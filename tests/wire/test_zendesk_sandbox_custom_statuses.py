"""The sandbox's custom statuses: listed, in every ticket, and refused where they do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.zendesk.sandbox import CustomStatus
from connectors.zendesk.sandbox.custom_statuses import CUSTOM_STATUS, named_status
from tests.support.zendesk_account import Account, an_account, change

OWN = (
    CustomStatus(label="Waiting for engineering", category="open"),
    CustomStatus(label="Retired", category="open", is_active=False),
)


def the_id(account: Account, label: str) -> int:
    return named_status(account.sandbox.desk.account.settings, label)


async def test_all_are_listed_the_inactive_ones_too_unless_filtered() -> None:
    async with an_account(custom_statuses=OWN) as account:
        rows = (await account.get("/custom_statuses"))["custom_statuses"]
        assert [row["agent_label"] for row in rows] == [
            *("New", "Open", "Pending", "On-hold", "Solved"),
            *("Waiting for engineering", "Retired"),
        ]
        idle = (await account.get("/custom_statuses", {"active": "false"}))["custom_statuses"]
        assert [row["agent_label"] for row in idle] == ["Retired"]
        query = {"status_categories": "hold,solved", "default": "true"}
        some = (await account.get("/custom_statuses", query))["custom_statuses"]
        assert [row["status_category"] for row in some] == ["hold", "solved"]


async def test_a_custom_status_alone_brings_its_category_and_a_category_its_default() -> None:
    async with an_account(custom_statuses=OWN) as account:
        ticket = (await account.create())["ticket"]
        assert ticket["custom_status_id"] == CUSTOM_STATUS["new"]
        waiting = the_id(account, "Waiting for engineering")

        given = (await account.update(ticket["id"], custom_status_id=waiting)).json()
        assert (given["ticket"]["status"], given["ticket"]["custom_status_id"]) == ("open", waiting)
        changed = change(given["audit"], "custom_status_id")
        assert (changed["value"], changed["previous_value"]) == (
            str(waiting),
            str(CUSTOM_STATUS["new"]),
        )
        kept = (await account.update(ticket["id"], tags=["x"])).json()["ticket"]
        assert kept["custom_status_id"] == waiting
        plain = (await account.update(ticket["id"], status="open")).json()["ticket"]
        assert plain["custom_status_id"] == CUSTOM_STATUS["open"]
        both = await account.update(ticket["id"], status="open", custom_status_id=waiting)
        assert both.json()["ticket"]["custom_status_id"] == waiting


@pytest.mark.parametrize(
    ("label", "more"),
    [("Waiting for engineering", {"status": "pending"}), ("Retired", {}), ("Open", {"status": 1})],
)
async def test_one_that_disagrees_or_is_inactive_refuses_the_whole_write(
    label: str, more: dict[str, Any]
) -> None:
    async with an_account(custom_statuses=OWN) as account:
        ticket = (await account.create())["ticket"]
        refused = await account.update(
            ticket["id"], custom_status_id=the_id(account, label), comment={"body": "lost?"}, **more
        )
        assert refused.status_code == 422
        assert {"custom_status_id", "status"} & set(refused.json()["details"])
        shown = await account.shown(ticket["id"])
        assert (len(shown["comments"]), shown["status"]) == (1, "new")
