"""Incremental exports of the Zendesk sandbox: nothing is missed, boundaries repeat."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.zendesk_account import TEN_O_CLOCK, Account, an_account

START = int(TEN_O_CLOCK)


async def tickets(account: Account, **query: Any) -> Any:
    return await account.get("/incremental/tickets/cursor", query)


async def events(account: Account, **query: Any) -> Any:
    return await account.get("/incremental/ticket_events", {"start_time": START, **query})


async def test_the_last_minute_is_withheld_and_a_scaled_one_is_shorter() -> None:
    for scale, wait in ((1.0, 62), (60.0, 3)):
        async with an_account(scale=scale) as account:
            await account.create()
            start = START - 100
            assert (await tickets(account, start_time=start))["tickets"] == []
            account.clock.advance(wait)
            assert len((await tickets(account, start_time=start))["tickets"]) == 1


async def test_a_start_time_within_the_withheld_minute_is_refused() -> None:
    async with an_account() as account:
        refused = await account.get(
            "/incremental/tickets/cursor", {"start_time": START - 59}, status=422
        )
        assert refused["error"] == "StartTimeTooRecent"


async def test_the_cursor_is_time_and_id_and_stays_at_the_end_of_the_stream() -> None:
    async with an_account() as account:
        a, b = [(await account.create())["ticket"]["id"] for _ in range(2)]
        account.clock.advance(100)
        first = await tickets(account, start_time=START - 100, per_page=1)
        assert [row["id"] for row in first["tickets"]] == [a]
        assert first["tickets"][0]["generated_timestamp"] == START
        assert first["end_of_stream"] is False
        assert base64.b64decode(first["after_cursor"]).decode() == f"{START}.0||{a}|"
        second = await tickets(account, cursor=first["after_cursor"])
        assert [row["id"] for row in second["tickets"]] == [b]
        assert second["end_of_stream"] is True
        empty = await tickets(account, cursor=second["after_cursor"])
        assert empty["tickets"] == []
        assert empty["after_cursor"] == second["after_cursor"]


async def test_a_changed_ticket_comes_again_behind_the_cursor() -> None:
    async with an_account() as account:
        a = (await account.create())["ticket"]["id"]
        b = (await account.create())["ticket"]["id"]
        account.clock.advance(100)
        seen = await tickets(account, start_time=START - 100)
        assert [row["id"] for row in seen["tickets"]] == [a, b]
        await account.act(**{"as": "alice@acme.test"}, ticket_id=a, add_tags=["x"], quiet=True)
        account.clock.advance(100)
        again = await tickets(account, cursor=seen["after_cursor"])
        (row,) = again["tickets"]
        assert row["id"] == a
        # A change of the system's moves the export's time and not the ticket's own.
        assert row["updated_at"] == "2026-11-20T10:00:00Z"
        assert row["generated_timestamp"] == START + 100


async def test_polling_in_the_middle_of_a_second_misses_nothing() -> None:
    async with an_account(scale=600) as account:
        seen: list[int] = []
        cursor = (await tickets(account, start_time=START - 10))["after_cursor"]
        made = []
        for _ in range(40):
            made.append((await account.create())["ticket"]["id"])
            account.clock.advance(0.13)
            page = await tickets(account, cursor=cursor)
            seen += [row["id"] for row in page["tickets"]]
            cursor = page["after_cursor"]
        account.clock.advance(3)
        seen += [row["id"] for row in (await tickets(account, cursor=cursor))["tickets"]]
        assert seen == made


async def test_deleted_and_scrubbed_tickets_stay_in_the_export() -> None:
    async with an_account() as account:
        a, b = [(await account.create())["ticket"]["id"] for _ in range(2)]
        await account.call("DELETE", f"/tickets/{a}")
        await account.call("DELETE", f"/tickets/{b}")
        await account.call("DELETE", f"/deleted_tickets/{b}")
        account.clock.advance(100)
        rows = (await tickets(account, start_time=START - 1))["tickets"]
        assert [(row["id"], row["status"]) for row in rows] == [(a, "deleted"), (b, "deleted")]
        assert (rows[1]["subject"], rows[1]["description"]) == ("SCRUBBED", "X")
        query = {"start_time": START - 1, "exclude_deleted": "true"}
        assert (await tickets(account, **query))["tickets"] == []


async def test_time_based_pages_repeat_their_boundary_second() -> None:
    async with an_account() as account:
        ids = []
        for _ in range(3):
            ids.append((await account.create())["ticket"]["id"])
            account.clock.advance(1)
        account.clock.advance(100)
        query = {"start_time": START, "per_page": 2}
        first = await account.get("/incremental/tickets", query)
        assert [row["id"] for row in first["tickets"]] == ids[:2]
        assert first["end_time"] == START + 1
        second = (await account.client.get(first["next_page"])).json()
        assert [row["id"] for row in second["tickets"]] == ids[1:]
        assert second["end_of_stream"] is True


async def test_a_second_fuller_than_a_page_is_given_whole_and_left_behind() -> None:
    async with an_account() as account:
        ids = [(await account.create())["ticket"]["id"] for _ in range(4)]
        account.clock.advance(1)
        last = (await account.create())["ticket"]["id"]
        account.clock.advance(100)
        first = await account.get("/incremental/tickets", {"start_time": START, "per_page": 2})
        assert [row["id"] for row in first["tickets"]] == ids
        assert (first["count"], first["end_time"], first["end_of_stream"]) == (4, START + 1, False)
        second = (await account.client.get(first["next_page"])).json()
        assert [row["id"] for row in second["tickets"]] == [last]


@pytest.mark.parametrize(("has_time", "end_time"), [(False, None), (True, START)])
async def test_an_empty_page_has_no_end_time_or_its_own(
    *, has_time: bool, end_time: int | None
) -> None:
    async with an_account(empty_page_has_end_time=has_time) as account:
        account.clock.advance(100)
        page = await account.get("/incremental/tickets", {"start_time": START})
        assert (page["end_time"], page["end_of_stream"]) == (end_time, True)


async def test_ticket_events_tell_comments_status_and_tags_of_one_update_together() -> None:
    async with an_account(triggers=()) as account:
        ticket = (await account.create(tags=["a", "b"]))["ticket"]
        account.clock.advance(1)
        update = (
            await account.update(
                ticket["id"],
                status="pending",
                tags=["b", "c"],
                comment={"body": "note", "public": False},
                metadata={"op": "7"},
            )
        ).json()
        account.clock.advance(100)
        page = await events(account, include="comment_events")
        first, second = page["ticket_events"]
        assert second["id"] == update["audit"]["id"]
        assert (second["event_type"], second["via"]) == ("Audit", "Web service")
        assert second["updater_id"] == account.integration_id
        assert second["timestamp"] == START + 1
        children = {child["event_type"]: child for child in second["child_events"]}
        assert children["Comment"]["public"] is False
        assert children["Comment"]["html_body"].startswith('<div class="zd-comment"')
        assert children["Comment"]["audit_id"] == second["id"]
        status = next(c for c in second["child_events"] if "status" in c)
        assert (status["status"], status["previous_value"]) == ("pending", "new")
        tags = next(c for c in second["child_events"] if "tags" in c)
        assert (tags["added_tags"], tags["removed_tags"]) == (["c"], ["a"])
        assert {child["event_type"] for child in first["child_events"]} == {"Comment", "Create"}


async def test_ticket_events_without_the_sideload_only_say_that_there_is_a_comment() -> None:
    async with an_account() as account:
        await account.create(comment={"body": "secret words", "public": False})
        account.clock.advance(100)
        page = await events(account)
        children = page["ticket_events"][0]["child_events"]
        (child,) = [one for one in children if one["event_type"] == "Comment"]
        assert (child["comment_present"], child["comment_public"]) == (True, False)
        assert "secret words" not in str(page)


async def test_every_event_arrives_at_least_once_however_small_the_pages() -> None:
    async with an_account(triggers=()) as account:
        ticket = (await account.create())["ticket"]
        for number in range(12):
            await account.update(ticket["id"], comment={"body": str(number)})
            account.clock.advance(0.3)
        account.clock.advance(100)
        seen: list[int] = []
        page = await events(account, per_page=6)
        while True:
            seen += [event["id"] for event in page["ticket_events"]]
            if page["end_of_stream"]:
                break
            page = (await account.client.get(page["next_page"])).json()
        audits = (await account.shown(ticket["id"]))["audits"]
        assert set(seen) == {audit["id"] for audit in audits}
        assert len(seen) > len(set(seen)), "boundary seconds come twice"


@pytest.mark.parametrize(("is_shown", "count"), [(True, 2), (False, 0)])
async def test_imported_history_shows_in_the_events_or_not(*, is_shown: bool, count: int) -> None:
    async with an_account(import_shows_in_events=is_shown) as account:
        rows = [{"value": "a"}, {"value": "b", "created_at": "2026-01-01T00:00:00Z"}]
        given = {"ticket": {"subject": "s", "comments": rows}}
        assert (await account.call("POST", "/imports/tickets", json=given)).status_code == 201
        account.clock.advance(100)
        assert len((await events(account))["ticket_events"]) == count
