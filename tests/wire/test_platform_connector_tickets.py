"""What the connector reads of tickets proves exactly as much as the platform showed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.platform.connector import PlatformConnector
from connectors.platform.sandbox.wire import MOST_LISTED_UPDATES
from syncd.core.errors import Unauthorised, Unintelligible
from syncd.core.model import Audience, Role, Span, TicketId
from syncd.ports import Read
from tests.support.platform_connector import a_rig, merged, refusal, scripted
from tests.support.platform_desk import OTHER_VIEW, VIEW, Json
from tests.support.platform_values import ticket_json, update_json

# --- one ticket -----------------------------------------------------------------------------------


async def test_the_fields_of_a_ticket_are_one_request() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket(tags=["urgent"])
        sighting = await rig.connector.fetch(TicketId(ticket["id"]), Read.FIELDS)
        assert sighting is not None
        assert sighting.ticket is not None
        assert sighting.ticket.metadata == (("app", "shop"), ("plan", "premium"))
        assert sighting.is_read
        assert sighting.covers is None
        assert len(rig.transport.requests) == 1


@pytest.mark.parametrize("read", list(Read))
async def test_a_ticket_that_is_not_there_is_none(read: Read) -> None:
    async with a_rig() as rig:
        assert await rig.connector.fetch(TicketId("t404"), read) is None


async def test_an_id_cannot_leave_its_place_in_the_address() -> None:
    async with scripted(refusal(404, "not_found")) as desk:
        await desk.connector.fetch(TicketId("x/../t1?a=b#c"), Read.FIELDS)
    assert desk.requests[0].url.raw_path == b"/tickets/x%2F..%2Ft1%3Fa%3Db%23c"


async def test_a_thread_tells_everything_in_order_with_its_audiences() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        aside = {"body_html": "<p>For Acme</p>", "visibility": "private", "views": [VIEW]}
        await rig.platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=aside)
        secret = {"body_html": "<p>Ours</p>", "visibility": "private"}
        await rig.platform.act(
            "Hana Sato", "update", ticket_id=ticket["id"], comment=secret, status="Closed"
        )
        sighting = await rig.connector.fetch(TicketId(ticket["id"]), Read.THREAD)
        assert sighting is not None
        seen = [(c.html, c.audience, c.author.role) for c in sighting.comments]
        assert seen == [
            ("<p>Since this morning.</p>", Audience.PUBLIC, Role.CUSTOMER),
            ("<p>For Acme</p>", Audience.SHARED, Role.STAFF),
        ]
        assert sighting.covers == Span(after=0, to=4)
        assert sighting.status_update is not None
        assert sighting.status_update.status == "Closed"


async def test_only_what_is_new_of_a_thread_is_read() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        known = await rig.look(ticket)
        await rig.comment(ticket, "News")
        sighting = await rig.connector.fetch(
            TicketId(ticket["id"]), Read.THREAD, comments_as_of=known.ticket.comments_as_of
        )
        assert sighting is not None
        assert [c.html for c in sighting.comments] == ["<p>News</p>"]
        assert sighting.covers == Span(after=2, to=3)
        assert merged(known, [sighting]) == await rig.look(ticket)


async def test_a_thread_without_news_covers_nothing_further() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        sighting = await rig.connector.fetch(TicketId(ticket["id"]), Read.THREAD, comments_as_of=2)
        assert sighting is not None
        assert (sighting.comments, sighting.covers) == ((), Span(after=2, to=2))


async def test_a_thread_that_grows_while_it_is_read_ends_where_its_ticket_does() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        for number in range(60):
            await rig.comment(ticket, f"No. {number}")

        async def interrupt() -> None:
            await rig.comment(ticket, "In between")

        rig.transport.before[2] = interrupt
        sighting = await rig.connector.fetch(TicketId(ticket["id"]), Read.WHOLE)
        assert sighting is not None
        assert sighting.ticket is not None
        assert sighting.covers == Span(after=0, to=63)
        assert sighting.ticket.fields_as_of == 63
        assert sighting.comments[-1].html == "<p>In between</p>"


async def test_a_ticket_deleted_while_its_thread_is_read_is_none() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        for number in range(60):
            await rig.comment(ticket, f"No. {number}")

        async def delete() -> None:
            await rig.platform.act("Hana Sato", "delete", ticket_id=ticket["id"])

        rig.transport.before[2] = delete
        assert await rig.connector.fetch(TicketId(ticket["id"]), Read.WHOLE) is None


def a_history(*versions: int, **members: Any) -> Json:
    updates = [update_json(id=f"u{n}", version=n) for n in versions]
    return {"ticket": ticket_json(), "updates": updates, "more": False, **members}


@pytest.mark.parametrize(
    "page",
    [
        a_history(5, 5, 7),
        a_history(5, 7, 6),
        a_history(5, 7),
        a_history(4, 5, 6, 7),
        a_history(5, 6),
        a_history(),
        a_history(more=True),
        a_history(5, 6, 7, ticket=ticket_json(id="t2")),
        {**a_history(5, 6), "ticket": ticket_json(version=3)},
    ],
    ids=["gap", "order", "missing", "early", "short", "empty", "endless", "foreign", "backwards"],
)
async def test_a_history_that_proves_nothing_is_not_believed(page: Json) -> None:
    async with scripted(page) as desk:
        with pytest.raises(Unintelligible):
            await desk.connector.fetch(TicketId("t1"), Read.THREAD, comments_as_of=4)


async def test_an_update_of_another_ticket_is_not_believed() -> None:
    page = a_history(5, 6, 7)
    page["updates"][1]["ticket_id"] = "t2"
    async with scripted(page) as desk:
        with pytest.raises(Unintelligible):
            await desk.connector.fetch(TicketId("t1"), Read.THREAD, comments_as_of=4)


async def test_another_ticket_than_asked_for_is_not_believed() -> None:
    async with scripted({"ticket": ticket_json(id="t2")}) as desk:
        with pytest.raises(Unintelligible):
            await desk.connector.fetch(TicketId("t1"), Read.FIELDS)


# --- many tickets ---------------------------------------------------------------------------------


async def test_many_tickets_are_read_a_hundred_at_a_time_and_the_missing_left_out() -> None:
    async with a_rig() as rig:
        ids = [TicketId((await rig.platform.a_ticket())["id"]) for _ in range(105)]
        found = await rig.connector.fetch_many([*ids, TicketId("t404"), *ids])
        assert [sighting.ticket_id for sighting in found] == ids
        assert all(sighting.is_read and sighting.ticket is not None for sighting in found)
        assert len(rig.transport.requests) == 2


async def test_no_tickets_are_no_request() -> None:
    async with a_rig() as rig:
        assert list(await rig.connector.fetch_many([])) == []
        assert rig.transport.requests == []


async def test_an_address_with_many_long_ids_stays_short() -> None:
    async with a_rig() as rig:
        await rig.connector.fetch_many([TicketId(f"{n:0128}") for n in range(100)])
        assert max(len(str(request.url)) for request in rig.transport.requests) < 8000


async def test_an_unreadable_ticket_among_many_becomes_a_hint() -> None:
    page = {"tickets": [ticket_json(id="t2", tags=None), {"name": "riddle"}, ticket_json()]}
    async with scripted(page) as desk:
        hint, good = await desk.connector.fetch_many([TicketId("t1"), TicketId("t2")])
    assert (hint.ticket_id, hint.ticket) == ("t2", None)
    assert hint.hinted
    assert good.ticket is not None


# --- views ----------------------------------------------------------------------------------------


async def all_in(connector: PlatformConnector, view: str, **options: Any) -> list[str]:
    found: list[str] = []
    async for page in connector.view(view, **options):
        found += [sighting.ticket_id for sighting in page.sightings]
    return found


async def test_a_view_lists_its_tickets_oldest_first() -> None:
    async with a_rig() as rig:
        ids = [(await rig.platform.a_ticket())["id"] for _ in range(105)]
        await rig.platform.a_ticket(view=OTHER_VIEW)
        await rig.platform.act("Hana Sato", "withdraw", ticket_id=ids[50], view=VIEW)
        assert await all_in(rig.connector, VIEW) == [*ids[:50], *ids[51:]]


async def test_a_listing_goes_on_at_its_cursor() -> None:
    async with a_rig() as rig:
        ids = [(await rig.platform.a_ticket())["id"] for _ in range(105)]
        pages = rig.connector.view(VIEW)
        first = await anext(pages)
        assert not first.is_end
        assert await all_in(rig.connector, VIEW, cursor=first.cursor) == ids[100:]


async def test_a_listing_leaves_out_what_nobody_touched_since() -> None:
    async with a_rig() as rig:
        old = await rig.platform.a_ticket()
        rig.platform.clock.seconds += 3600
        new = await rig.platform.a_ticket()
        since = datetime.fromtimestamp(rig.platform.clock.seconds - 60, UTC)
        elsewhere = since.astimezone(None)
        assert await all_in(rig.connector, VIEW, since=elsewhere) == [new["id"]]
        await rig.comment(old, "Again")
        assert await all_in(rig.connector, VIEW, since=since) == [old["id"], new["id"]]


async def test_a_listing_brings_the_threads_along_when_asked() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.comment(ticket, "And more")
        (page,) = [page async for page in rig.connector.view(VIEW, has_threads=True)]
        (bare,) = [page async for page in rig.connector.view(VIEW)]
        (listed,) = page.sightings
        assert listed == await rig.connector.fetch(TicketId(ticket["id"]), Read.WHOLE)
        assert [sighting.covers for sighting in bare.sightings] == [None]


async def test_a_thread_too_long_for_a_listing_is_left_for_a_read() -> None:
    async with a_rig() as rig:
        long, short = await rig.platform.a_ticket(), await rig.platform.a_ticket()
        for number in range(MOST_LISTED_UPDATES):
            await rig.comment(long, f"Sentence {number}")
        (page,) = [page async for page in rig.connector.view(VIEW, has_threads=True)]
        covered = {sighting.ticket_id: sighting.covers for sighting in page.sightings}
        assert covered[TicketId(long["id"])] is None
        assert covered[TicketId(short["id"])] is not None


@pytest.mark.parametrize("fault", ["gap", "short", "stranger", "riddle"])
async def test_a_listed_thread_that_proves_nothing_is_read_again(fault: str) -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.comment(ticket, "And more")
        listing = (await rig.platform.api.get("/tickets?include=updates")).json()
        updates = listing["threads"][0]["updates"]
        if fault == "gap":
            del updates[0]
        elif fault == "short":
            del updates[-1]
        elif fault == "stranger":
            updates[0]["ticket_id"] = "another"
        else:
            updates[0]["version"] = "first"
    async with scripted(listing) as desk:
        (page,) = [page async for page in desk.connector.view(VIEW, has_threads=True)]
        assert [sighting.covers for sighting in page.sightings] == [None]


async def test_an_empty_view_is_one_empty_page() -> None:
    async with a_rig() as rig:
        pages = [page async for page in rig.connector.view(VIEW)]
        assert [(page.sightings, page.is_end) for page in pages] == [((), True)]


async def test_a_view_of_others_is_a_matter_of_rights() -> None:
    async with a_rig(token=f"{VIEW}-token") as rig:
        with pytest.raises(Unauthorised) as caught:
            await all_in(rig.connector, OTHER_VIEW)
        assert "view" in caught.value.hint


@pytest.mark.parametrize("next_cursor", [None, "7"])
async def test_a_listing_that_leads_nowhere_is_not_followed(next_cursor: str | None) -> None:
    page: Json = {"tickets": [], "next_cursor": next_cursor, "more": True}
    async with scripted(page) as desk:
        with pytest.raises(Unintelligible):
            await all_in(desk.connector, VIEW, cursor="7")
        assert len(desk.requests) == 1
