"""What the connector reads of a platform proves exactly as much as the platform showed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.platform import wire
from connectors.platform.account import check_account
from connectors.platform.connector import PlatformConnector
from syncd.core.errors import Unauthorised, Unintelligible
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, Role, Sighting, Snapshot, Span, TicketId
from syncd.ports import Changes, Connector, Read
from tests.support.platform_connector import a_rig, refusal, scripted
from tests.support.platform_desk import OTHER_VIEW, VIEW, Json, Platform
from tests.support.platform_values import ticket_json, update_json


def sightings_of(pages: list[Changes]) -> list[Sighting]:
    return [sighting for page in pages for sighting in page.sightings]


def merged(known: Snapshot | None, sightings: list[Sighting]) -> Snapshot:
    for sighting in sightings:
        known = merge_snapshot(known, sighting)
    assert known is not None
    return known


async def comment(platform: Platform, ticket: Json, text: str, *, by: str = "Mia Keller") -> Json:
    body = {"body_html": f"<p>{text}</p>"}
    return await platform.act(by, "update", ticket_id=ticket["id"], comment=body)


# --- the feed ------------------------------------------------------------------------------------


async def test_the_first_look_starts_at_the_present() -> None:
    async with a_rig() as rig:
        await rig.platform.a_ticket()
        page = await rig.connector.read_changes(None)
        assert page.sightings == ()
        assert page.is_end
        late = await rig.platform.a_ticket(subject="Later")
        pages, _ = await rig.walk(page.cursor)
        assert {s.ticket_id for s in sightings_of(pages)} == {late["id"]}


async def test_an_escalated_ticket_appears_with_its_view_and_asks_for_its_thread() -> None:
    async with a_rig(token=f"{VIEW}-token") as rig:
        ticket = await rig.platform.a_ticket(view=None)
        _, cursor = await rig.walk(None)
        await rig.platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=VIEW)
        pages, _ = await rig.walk(cursor)
        (sighting,) = sightings_of(pages)
        assert sighting.ticket is not None
        assert sighting.ticket.views == {VIEW}
        snapshot = merged(None, [sighting])
        assert snapshot.ticket.comments_as_of < snapshot.ticket.fields_as_of


async def test_the_feed_alone_keeps_a_known_ticket_complete() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        known = await rig.look(ticket)
        _, cursor = await rig.walk(None)
        await comment(rig.platform, ticket, "More")
        await rig.platform.act(
            "Pat Acme",
            "update",
            ticket_id=ticket["id"],
            status="With customer",
            add_tags=["urgent"],
            comment={"body_html": "<p>Try this.</p>"},
        )
        pages, _ = await rig.walk(cursor)
        (sighting,) = sightings_of(pages)
        assert sighting.covers == Span(after=2, to=4)
        assert merged(known, [sighting]) == await rig.look(ticket)


async def test_leaving_a_view_is_seen_and_so_is_what_follows() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        _, cursor = await rig.walk(None)
        await rig.platform.act("Hana Sato", "withdraw", ticket_id=ticket["id"], view=VIEW)
        pages, cursor = await rig.walk(cursor)
        (left,) = sightings_of(pages)
        assert left.ticket is not None
        assert left.ticket.views == frozenset()
        await comment(rig.platform, ticket, "Anybody?")
        pages, _ = await rig.walk(cursor)
        assert [c.html for s in sightings_of(pages) for c in s.comments] == ["<p>Anybody?</p>"]


async def test_a_comment_for_staff_is_not_shown_and_still_covered() -> None:
    async with a_rig(token=f"{VIEW}-token") as rig:
        ticket = await rig.platform.a_ticket()
        _, cursor = await rig.walk(None)
        aside = {"body_html": "<p>Between us</p>", "visibility": "private"}
        await rig.platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=aside)
        pages, _ = await rig.walk(cursor)
        (sighting,) = sightings_of(pages)
        assert sighting.comments == ()
        assert sighting.covers == Span(after=2, to=3)


async def test_a_long_feed_is_walked_page_by_page_without_a_gap() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        known = await rig.look(ticket)
        _, cursor = await rig.walk(None)
        for number in range(120):
            await comment(rig.platform, ticket, f"No. {number}")
        pages, cursor = await rig.walk(cursor)
        assert [page.is_end for page in pages] == [False, False, True]
        assert merged(known, sightings_of(pages)) == await rig.look(ticket)
        again, _ = await rig.walk(cursor)
        assert sightings_of(again) == []


@pytest.mark.parametrize("cursor", ['{"feed":"999999"}', "", "12", "{}", "\ud800", '{"feed":7}'])
async def test_a_cursor_that_leads_nowhere_lists_all_tickets_and_goes_on(cursor: str) -> None:
    async with a_rig() as rig:
        tickets = [await rig.platform.a_ticket(subject=f"No. {n}") for n in range(105)]
        pages, cursor = await rig.walk(cursor)
        assert [s.ticket_id for s in sightings_of(pages)] == [ticket["id"] for ticket in tickets]
        assert all(s.ticket is not None and s.covers is None for s in sightings_of(pages))
        await comment(rig.platform, tickets[3], "Still here")
        pages, _ = await rig.walk(cursor)
        assert [s.ticket_id for s in sightings_of(pages)] == [tickets[3]["id"]]


async def test_what_changes_during_the_listing_is_not_missed() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        begun = await rig.connector.read_changes('{"feed":"999999"}')
        assert not begun.is_end
        listed = await rig.connector.read_changes(begun.cursor)
        await comment(rig.platform, ticket, "Meanwhile")
        pages, _ = await rig.walk(listed.cursor)
        assert [c.html for s in sightings_of(pages) for c in s.comments] == ["<p>Meanwhile</p>"]


async def test_a_page_of_the_listing_that_is_lost_begins_it_again() -> None:
    lost = '{"feed":"5","is_listing":true,"page":"gone"}'
    now = {"changes": [], "next_cursor": "9", "more": False}
    async with scripted(refusal(400, "cursor_invalid"), now) as desk:
        page = await desk.connector.read_changes(lost)
        assert page.cursor == '{"feed":"9","is_listing":true}'
        assert not page.is_end


@pytest.mark.parametrize("cursor", ['{"feed":"5","is_listing":true}', "nonsense", None])
async def test_a_desk_that_refuses_everything_is_not_asked_for_ever(cursor: str | None) -> None:
    async with scripted(refusal(400, "bad_request")) as desk:
        with pytest.raises(Unintelligible):
            await desk.connector.read_changes(cursor)
        assert len(desk.requests) == 1


async def test_an_unreadable_feed_is_not_taken_for_a_lost_cursor() -> None:
    async with scripted({"changes": "none"}) as desk:
        with pytest.raises(Unintelligible):
            await desk.connector.read_changes('{"feed":"5"}')
        assert len(desk.requests) == 1


async def test_a_feed_that_stands_still_ends() -> None:
    async with scripted({"changes": [], "next_cursor": "5", "more": True}) as desk:
        assert (await desk.connector.read_changes('{"feed":"5"}')).is_end


async def test_a_bad_row_becomes_a_hint_and_hides_no_other() -> None:
    good = {"position": "2", "ticket": ticket_json(), "update": update_json()}
    bad_ticket = ticket_json(id="t2", metadata={"app": 7})
    bad = {"position": "1", "ticket": bad_ticket, "update": update_json(id="u9", ticket_id="t2")}
    page: Json = {"changes": [bad, "riddle", good], "next_cursor": "6", "more": False}
    async with scripted(page) as desk:
        changes = await desk.connector.read_changes('{"feed":"5"}')
    assert changes.dropped_count == 1
    known, hint = changes.sightings
    assert known.ticket_id == "t1"
    assert (hint.ticket_id, hint.ticket, hint.hinted) == ("t2", None, ("u9",))
    snapshot = merged(Snapshot(ticket=merged(None, [known]).ticket), [hint])
    assert snapshot.ticket.is_comment_hinted


# --- one ticket ----------------------------------------------------------------------------------


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
        await comment(rig.platform, ticket, "News")
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
            await comment(rig.platform, ticket, f"No. {number}")

        async def interrupt() -> None:
            await comment(rig.platform, ticket, "In between")

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
            await comment(rig.platform, ticket, f"No. {number}")

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
        a_history(5, 7),
        a_history(7, 6),
        a_history(4, 5, 6, 7),
        a_history(5, 6),
        a_history(),
        a_history(more=True),
        a_history(5, 6, 7, ticket=ticket_json(id="t2")),
        {**a_history(5, 6), "ticket": ticket_json(version=3)},
    ],
    ids=["gap", "order", "early", "short", "empty", "endless", "foreign", "backwards"],
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


# --- many tickets --------------------------------------------------------------------------------


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


# --- views ---------------------------------------------------------------------------------------


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
        await comment(rig.platform, old, "Again")
        assert await all_in(rig.connector, VIEW, since=since) == [old["id"], new["id"]]


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


# --- the account ---------------------------------------------------------------------------------


async def test_a_check_is_one_request_and_names_the_views() -> None:
    async with a_rig() as rig:
        results = {result.name: result for result in await rig.connector.check()}
        assert all(result.is_ok for result in results.values())
        assert results["views"].message == f"{VIEW}, {OTHER_VIEW}"
        assert len(rig.transport.requests) == 1


def me(**members: Any) -> wire.Me:
    given: Json = {
        "name": "syncd",
        "views": (VIEW,),
        "scopes": ("tickets:read", "tickets:write"),
        "server_time": datetime(2027, 1, 15, 8, tzinfo=UTC),
        **members,
    }
    return wire.Me(**given)


async def test_a_refused_token_is_a_failed_check_with_a_hint() -> None:
    async with a_rig(token="wrong") as rig:
        (result,) = await rig.connector.check()
    assert (result.name, result.is_ok) == ("token", False)
    assert "token" in result.hint


@pytest.mark.parametrize(
    ("members", "name", "word"),
    [
        ({"scopes": ("tickets:read",)}, "scopes", "tickets:write"),
        ({"views": ()}, "views", "none"),
        ({"server_time": datetime(2027, 1, 15, 7, tzinfo=UTC)}, "clock", "3600 s ahead"),
        ({"server_time": datetime(2027, 1, 15, 9, tzinfo=UTC)}, "clock", "3600 s behind"),
    ],
)
def test_what_a_token_lacks_is_named_with_a_hint(members: Json, name: str, word: str) -> None:
    results = check_account(me(**members), now=datetime(2027, 1, 15, 8, tzinfo=UTC))
    (failed,) = [result for result in results if not result.is_ok]
    assert failed.name == name
    assert word in failed.message
    assert failed.hint


def test_a_check_shows_no_control_characters() -> None:
    results = check_account(me(name="a\x1b[31m\nb"), now=datetime(2027, 1, 15, 8, tzinfo=UTC))
    assert results[0].message == "accepted as a [31m b"


def test_seconds_between_two_clocks_are_no_fault() -> None:
    now = datetime(2027, 1, 15, 8, tzinfo=UTC) + timedelta(seconds=20)
    assert all(result.is_ok for result in check_account(me(), now=now))


async def test_the_connector_is_what_the_engine_asks_for() -> None:
    async with a_rig() as rig:
        connector: Connector = rig.connector
        assert connector.name == "heroku"
        capabilities = connector.capabilities
        assert capabilities.has_views
        assert capabilities.keeps_author
        assert capabilities.keeps_time
        assert not capabilities.can_create
        assert not capabilities.can_restrict


async def test_every_request_spends_and_the_desks_figures_are_reported() -> None:
    async with a_rig(quota=500) as rig:
        await rig.connector.check()
        assert rig.budget.spent == [("account",)]
        (reading,) = rig.budget.readings
        assert (reading.limit, reading.remaining) == (500, 499)


async def test_the_token_shows_nowhere() -> None:
    async with scripted(httpx.Response(401, text="platform-token")) as desk:
        with pytest.raises(Unauthorised) as caught:
            await desk.connector.fetch(TicketId("t1"), Read.FIELDS)
    shown = f"{caught.value} {caught.value!r} {caught.value.hint} {desk.connector!r}"
    assert "platform-token" not in shown
