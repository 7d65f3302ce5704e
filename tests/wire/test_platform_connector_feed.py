"""The change feed proves exactly what it showed, and a gap in it is bridged."""

from __future__ import annotations

import pytest

from syncd.core.errors import Unintelligible
from syncd.core.model import Snapshot, Span
from tests.support.platform_connector import a_rig, merged, refusal, scripted, sightings_of
from tests.support.platform_desk import VIEW, Json
from tests.support.platform_values import ticket_json, update_json


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
        await rig.comment(ticket, "More")
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
        await rig.comment(ticket, "Anybody?")
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
            await rig.comment(ticket, f"No. {number}")
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
        await rig.comment(tickets[3], "Still here")
        pages, _ = await rig.walk(cursor)
        assert [s.ticket_id for s in sightings_of(pages)] == [tickets[3]["id"]]


async def test_what_changes_during_the_listing_is_not_missed() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        begun = await rig.connector.read_changes('{"feed":"999999"}')
        assert not begun.is_end
        listed = await rig.connector.read_changes(begun.cursor)
        await rig.comment(ticket, "Meanwhile")
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
