"""The feed tells every update once and in order; the listing finds every ticket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.platform_desk import OTHER_VIEW, VIEW, Json, a_platform


async def page(client: httpx.AsyncClient, **params: Any) -> Json:
    answer = await client.get("/changes", params=params)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def steps(found: Json) -> list[tuple[str, int]]:
    return [(c["update"]["ticket_id"], c["update"]["version"]) for c in found["changes"]]


async def test_a_feed_without_a_cursor_starts_now() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        now = await page(platform.api)
        await platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        news = await page(platform.api, cursor=now["next_cursor"])

    assert (now["changes"], now["more"]) == ([], False)
    assert steps(news) == [(ticket["id"], 3)]


async def test_pages_of_the_feed_hold_every_update_once_in_commit_order() -> None:
    async with a_platform() as platform:
        first, second = await platform.a_ticket(), await platform.a_ticket()
        await platform.a_ticket(view=None)
        for ticket in (first, second, first):
            await platform.act("Hana Sato", "update", ticket_id=ticket["id"], subject="x")
            await platform.act("Hana Sato", "update", ticket_id=ticket["id"], subject="y")
        found, cursor, has_more = [], "start", True
        while has_more:
            one = await page(platform.api, cursor=cursor, limit=3)
            found += one["changes"]
            cursor, has_more = one["next_cursor"], one["more"]
        after = await page(platform.api, cursor=cursor)

    versions = [(c["update"]["ticket_id"], c["update"]["version"]) for c in found]
    a, b = first["id"], second["id"]
    assert versions == [
        (a, 1),
        (a, 2),
        (b, 1),
        (b, 2),
        (a, 3),
        (a, 4),
        (b, 3),
        (b, 4),
        (a, 5),
        (a, 6),
    ]
    positions = [int(change["position"]) for change in found]
    assert positions == sorted(set(positions))
    assert after["changes"] == []


async def test_a_change_shows_the_ticket_as_it_is_now() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        found = await page(platform.api, cursor="0")

    assert [change["ticket"]["status"] for change in found["changes"]] == ["Closed"] * 3
    assert {change["ticket"]["version"] for change in found["changes"]} == {3}


async def test_entering_and_leaving_a_view_are_in_the_feed_and_so_is_what_follows() -> None:
    async with a_platform() as platform:
        cursor = (await page(platform.acme))["next_cursor"]
        ticket = await platform.a_ticket(view=None)
        unknown = await page(platform.acme, cursor=cursor)
        await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=VIEW)
        await platform.act("Hana Sato", "withdraw", ticket_id=ticket["id"], view=VIEW)
        await platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        found = await page(platform.acme, cursor=unknown["next_cursor"])

    assert unknown["changes"] == []
    views = [change["update"]["views"] for change in found["changes"]]
    assert views == [{"added": [VIEW], "removed": []}, {"added": [], "removed": [VIEW]}, None]
    assert found["changes"][-1]["ticket"]["views"] == []


async def test_a_deleted_ticket_leaves_the_feed_and_answers_nothing() -> None:
    async with a_platform() as platform:
        ticket, kept = await platform.a_ticket(), await platform.a_ticket()
        await platform.act("Hana Sato", "delete", ticket_id=ticket["id"])
        found = await page(platform.api, cursor="start")
        answer = await platform.api.get(f"/tickets/{ticket['id']}")
        batch = await platform.api.get(f"/tickets:batch?ids={ticket['id']},{kept['id']}")

    assert steps(found) == [(kept["id"], 1), (kept["id"], 2)]
    assert answer.status_code == 404
    assert [one["id"] for one in batch.json()["tickets"]] == [kept["id"]]


@pytest.mark.parametrize("cursor", ["x", "-1", "99", "9" * 200, "٣"])
async def test_a_cursor_that_was_never_given_out_is_refused(cursor: str) -> None:
    async with a_platform() as platform:
        await platform.a_ticket()
        answer = await platform.api.get("/changes", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cursor_invalid")


async def test_a_waiting_reader_is_answered_when_something_happens_in_its_views() -> None:
    async with a_platform() as platform:
        platform.clock.is_stopped = True
        waiting = asyncio.ensure_future(page(platform.acme, cursor="start", wait_seconds=30))
        await platform.a_ticket(view=OTHER_VIEW)
        was_answered = waiting.done()
        ticket = await platform.a_ticket(view=None)
        await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=VIEW)
        found = await waiting

    assert not was_answered
    assert steps(found)[-1] == (ticket["id"], 2)


async def test_a_waiting_reader_gets_an_empty_page_when_the_time_is_over() -> None:
    async with a_platform(scale=10.0) as platform:
        before = platform.clock.seconds
        answer = await platform.acme.get("/changes?cursor=start&wait_seconds=30")

    assert answer.json() == {"changes": [], "next_cursor": "0", "more": False}
    assert answer.headers["ratelimit-remaining"] == "599"
    assert platform.clock.seconds - before == 3.0


async def test_a_waiting_reader_is_let_go_when_the_sandbox_stops() -> None:
    async with a_platform() as platform:
        platform.clock.is_stopped = True
        waiting = asyncio.ensure_future(page(platform.acme, cursor="start", wait_seconds=30))
        await platform.control.get("/_sandbox")
        platform.sandbox.let_go()
        found = await waiting

    assert found["changes"] == []


async def test_updates_of_a_ticket_come_in_pages_with_the_ticket() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        for number in range(5):
            await platform.put(ticket, f"u{number}", {"tags": {"add": [f"t{number}"]}})
        path = f"/tickets/{ticket['id']}/updates"
        first = (await platform.api.get(f"{path}?after_version=2&limit=3")).json()
        last = (await platform.api.get(f"{path}?after_version=5&limit=3")).json()
        beyond = (await platform.api.get(f"{path}?after_version=99")).json()

    assert [update["version"] for update in first["updates"]] == [3, 4, 5]
    assert [update["id"] for update in last["updates"]] == ["u3", "u4"]
    assert (first["more"], last["more"], beyond["more"]) == (True, False, False)
    assert first["ticket"]["version"] == last["ticket"]["version"] == 7


async def listed(client: httpx.AsyncClient, **params: Any) -> list[str]:
    """All pages of the listing, two tickets at a time."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = (await client.get("/tickets", params={"limit": 2, **params, **cursor})).json()
        found += [ticket["id"] for ticket in answer["tickets"]]
        assert answer["more"] == (answer["next_cursor"] is not None)
        if not answer["more"]:
            return found
        cursor = {"cursor": answer["next_cursor"]}


async def test_a_listing_finds_every_ticket_oldest_first_with_each_filter() -> None:
    async with a_platform() as platform:
        ids = []
        for view in (VIEW, OTHER_VIEW, VIEW, None, VIEW, VIEW):
            ids.append((await platform.a_ticket(view=view))["id"])
            platform.clock.seconds += 60
        a, b, c, _, e, f = ids
        await platform.act("Hana Sato", "withdraw", ticket_id=e, view=VIEW)
        await platform.act("Mia Keller", "update", ticket_id=a, status="Closed")
        await platform.act("Mia Keller", "update", ticket_id=c, status="With customer")
        since = "2027-01-15T09:05:00.25+01:00"

        assert await listed(platform.api) == [a, b, c, e, f]
        assert await listed(platform.acme) == [a, c, e, f]
        assert await listed(platform.api, view=VIEW) == [a, c, f]
        assert await listed(platform.api, status="Closed,With customer") == [a, c]
        assert await listed(platform.api, updated_since=since) == [a, c, e, f]
        assert await listed(platform.api, view=OTHER_VIEW, status="Closed") == []


async def test_a_ticket_updated_between_two_pages_is_neither_skipped_nor_repeated() -> None:
    async with a_platform() as platform:
        ids = [(await platform.a_ticket())["id"] for _ in range(4)]
        first = (await platform.api.get("/tickets?limit=2")).json()
        for ticket_id in (ids[0], ids[3]):
            await platform.act("Hana Sato", "update", ticket_id=ticket_id, subject="new")
        second = await platform.api.get(f"/tickets?limit=2&cursor={first['next_cursor']}")

    found = [ticket["id"] for ticket in first["tickets"] + second.json()["tickets"]]
    assert found == ids


async def test_a_batch_gives_each_visible_ticket_once_in_the_order_asked() -> None:
    async with a_platform() as platform:
        ids = [(await platform.a_ticket(view=view))["id"] for view in (VIEW, OTHER_VIEW, VIEW)]
        a, hidden, c = ids
        answer = await platform.acme.get(f"/tickets:batch?ids={c},{hidden},t0,{a},{c}")

    assert [ticket["id"] for ticket in answer.json()["tickets"]] == [c, a]
