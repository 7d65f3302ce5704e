"""Facts that no public source settles: the Zendesk sandbox plays them both ways."""

from __future__ import annotations

import pytest

from connectors.zendesk.sandbox.acting import switches
from tests.support.receiver import a_receiver
from tests.support.zendesk_account import TEN_O_CLOCK, an_account


@pytest.mark.parametrize(("style", "size"), [("json", True), ("empty", False)])
async def test_a_conflict_has_a_body_or_none(*, style: str, size: bool) -> None:
    async with an_account(conflict_body=style) as account:
        ticket = (await account.create())["ticket"]
        old = {"safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z"}
        refused = await account.update(ticket["id"], tags=["x"], **old)
        assert (refused.status_code, bool(refused.content)) == (409, size)


@pytest.mark.parametrize("has_deltas", [True, False])
@pytest.mark.parametrize("is_object", [True, False])
async def test_children_of_events_have_either_shape(*, has_deltas: bool, is_object: bool) -> None:
    plays = {"tag_children_have_deltas": has_deltas, "child_via_is_object": is_object}
    async with an_account(**plays, triggers=()) as account:
        ticket = (await account.create())["ticket"]
        await account.update(ticket["id"], tags=["x"])
        account.clock.advance(100)
        page = await account.get("/incremental/ticket_events", {"start_time": int(TEN_O_CLOCK)})
        (child,) = page["ticket_events"][-1]["child_events"]
        assert (child["tags"], child["previous_value"]) == (["x"], [])
        assert ("added_tags" in child) is has_deltas
        assert isinstance(child["via"], dict) is is_object


@pytest.mark.parametrize(("is_archived", "count"), [(True, 0), (False, 1)])
async def test_closed_tickets_leave_the_listing_but_never_the_export(
    *, is_archived: bool, count: int
) -> None:
    async with an_account(archives_closed=is_archived) as account:
        ticket = (await account.create())["ticket"]
        await account.update(ticket["id"], status="closed")
        assert len((await account.get("/tickets"))["tickets"]) == count
        account.clock.advance(100)
        query = {"start_time": int(TEN_O_CLOCK) - 1}
        assert len((await account.get("/incremental/tickets/cursor", query))["tickets"]) == 1


@pytest.mark.parametrize(("is_sent", "count"), [(True, 2), (False, 1)])
async def test_a_creation_is_a_comment_event_as_well_or_not(*, is_sent: bool, count: int) -> None:
    async with a_receiver() as receiver, an_account(created_sends_comment_added=is_sent) as account:
        types = ["zen:event-type:ticket.created", "zen:event-type:ticket.comment_added"]
        hook = {"name": "s", "endpoint": receiver.url, "subscriptions": types}
        await account.call("POST", "/webhooks", json={"webhook": hook})
        await account.create()
        await account.sandbox.desk.webhooks.courier.idle()
        assert len(receiver.received) == count


@pytest.mark.parametrize(("is_needed", "status"), [(True, 401), (False, 200)])
async def test_files_need_credentials_or_not(*, is_needed: bool, status: int) -> None:
    async with an_account(attachments_need_auth=is_needed) as account:
        up = await account.call("POST", "/uploads", params={"filename": "a"}, content=b"x")
        url = up.json()["upload"]["attachment"]["content_url"]
        request = account.client.build_request("GET", url)
        assert (await account.client.send(request, auth=None)).status_code == status


async def test_switches_change_while_the_desk_runs_and_unknown_ones_are_refused() -> None:
    async with an_account() as account:
        await account.switch(metadata_readable=False, webhook_loss=0.5)
        shown = (await account.client.get("/_sandbox/settings")).json()
        assert (shown["metadata_readable"], shown["webhook_loss"]) == (False, 0.5)
        refused = await account.client.post("/_sandbox/settings", json={"no_such": 1})
        assert refused.status_code == 400
        assert {"plan", "withheld_seconds", "conflict_body"} <= set(switches())
        assert "seed" not in switches()


async def test_revoked_tokens_are_refused_at_once() -> None:
    async with an_account() as account:
        asked = {
            "grant_type": "client_credentials",
            "client_id": "syncd",
            "client_secret": "sandbox-client-secret",
        }
        token = (await account.client.post("/oauth/tokens", json=asked)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        request = account.client.build_request("GET", "/api/v2/tickets", headers=headers)
        assert (await account.client.send(request, auth=None)).status_code == 200
        assert (await account.client.post("/_sandbox/revoke")).json() == {"revoked": 1}
        assert (await account.client.send(request, auth=None)).status_code == 401
