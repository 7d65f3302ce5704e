"""What every `Connector` must do, whatever the desk: one suite, run against each implementation.

A test file subclasses `ConnectorSuite` and `ConnectorFaults` and gives the `desk` fixture.
Tests look at what the desk holds and at what the connector says, not at which requests it sent.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.errors import Gone, Stale, Unauthentic, Unauthorised, Unreachable
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, CommentId, Role, Sighting, Snapshot, TicketId
from syncd.core.operations import RestrictComment
from syncd.ports import Connector, Read
from tests.contract.desk import Desk, a_creation, a_draft, an_intent, an_update, look

HOSTILE = (
    '<p onclick="steal()">Hi<script>alert(1)</script><img src=x onerror=alert(2)></p>'
    '<a href="javascript:alert(3)">press</a><iframe src="https://evil.example"></iframe>'
)


async def walk(connector: Connector, cursor: str | None) -> tuple[list[Sighting], str]:
    """One poll: everything up to `is_end`, and where to go on."""
    sightings: list[Sighting] = []
    for _ in range(50):
        changes = await connector.read_changes(cursor)
        sightings += changes.sightings
        cursor = changes.cursor
        if changes.is_end:
            return sightings, cursor
    raise AssertionError("the feed has no end")


def mirrored(ticket_id: TicketId, sightings: list[Sighting], known: Snapshot | None) -> Snapshot:
    """What a mirror holds after the sightings of that ticket."""
    for sighting in sightings:
        if sighting.ticket_id == ticket_id:
            known = merge_snapshot(known, sighting)
    assert known is not None
    return known


class ConnectorSuite:
    """Reading, writing and the change feed, while nothing goes wrong."""

    # --- reading -----------------------------------------------------------------------------

    async def test_a_whole_read_shows_fields_and_thread_in_order(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket(subject="Slow", html="<p>One</p>")
        desk.clock.advance(1)
        answered = await desk.answer(
            ticket_id, "<p>Two</p>", status=desk.statuses.waiting, tags=frozenset({"urgent"})
        )
        desk.clock.advance(1)
        noted = await desk.answer(ticket_id, "<p>Three</p>", is_public=False)

        seen = await look(desk, ticket_id)

        assert (seen.ticket.subject, seen.ticket.status) == ("Slow", desk.statuses.waiting)
        assert "urgent" in seen.ticket.tags
        assert [c.comment_id for c in seen.comments[1:]] == [answered, noted]
        assert [text_of(c.html) for c in seen.comments] == ["One", "Two", "Three"]
        assert [c.audience for c in seen.comments] == [
            Audience.PUBLIC,
            Audience.PUBLIC,
            Audience.SHARED,
        ]
        assert seen.comments[0].author.role is Role.CUSTOMER
        assert seen.comments[1].author.role not in {Role.CUSTOMER, Role.UNKNOWN, Role.SYSTEM}
        assert all(c.author.name for c in seen.comments)
        assert seen.ticket.comments_as_of >= seen.ticket.fields_as_of
        assert seen.ticket.is_confirmed

    async def test_a_status_names_the_update_that_gave_it(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        desk.clock.advance(1)
        answered = await desk.answer(ticket_id, "<p>Try</p>", status=desk.statuses.waiting)
        desk.clock.advance(1)
        await desk.answer(ticket_id, "<p>By the way</p>", is_public=False)

        seen = await look(desk, ticket_id)

        update = seen.ticket.status_update
        assert update is not None
        assert update.status == desk.statuses.waiting
        comment = next(c for c in seen.comments if c.comment_id == answered)
        assert update.update_id is not None
        assert update.update_id == comment.update_id

    async def test_a_thread_read_since_a_moment_brings_what_came_after(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        before = await look(desk, ticket_id)
        answered = await desk.answer(ticket_id, "<p>Later</p>")
        desk.clock.advance(3)

        sighting = await desk.connector.fetch(
            ticket_id, Read.THREAD, comments_as_of=before.ticket.comments_as_of
        )

        assert sighting is not None
        assert answered in [c.comment_id for c in sighting.comments]
        after = merge_snapshot(before, sighting)
        assert after is not None
        assert after.ticket.comments_as_of > before.ticket.comments_as_of

    async def test_reading_the_fields_brings_no_comments(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        sighting = await desk.connector.fetch(ticket_id, Read.FIELDS)
        assert sighting is not None
        assert sighting.ticket is not None
        assert (sighting.comments, sighting.covers, sighting.is_read) == ((), None, True)

    @pytest.mark.parametrize("read", list(Read))
    async def test_a_ticket_that_is_not_there_is_none(self, desk: Desk, read: Read) -> None:
        assert await desk.connector.fetch(TicketId("999999"), read) is None

    async def test_many_tickets_come_in_few_requests_without_the_missing(self, desk: Desk) -> None:
        ids = [await desk.open_ticket(subject=f"No. {number}") for number in range(5)]
        await desk.connector.fetch(ids[0], Read.FIELDS)
        before = desk.sandbox.log.request_count

        seen = await desk.connector.fetch_many([*ids, TicketId("999999")])

        assert {s.ticket_id for s in seen} == set(ids)
        assert all(s.ticket is not None and s.ticket.subject.startswith("No.") for s in seen)
        assert desk.sandbox.log.request_count - before <= 2

    async def test_no_tickets_cost_nothing(self, desk: Desk) -> None:
        before = desk.sandbox.log.request_count
        assert list(await desk.connector.fetch_many([])) == []
        assert desk.sandbox.log.request_count == before

    async def test_hostile_html_is_read_as_text_and_plain_markup(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.answer(ticket_id, HOSTILE)
        seen = await look(desk, ticket_id)
        html = seen.comments[-1].html or ""
        assert "Hi" in html
        for poison in ("script", "onclick", "onerror", "javascript:", "iframe", "alert(1)"):
            assert poison not in html

    # --- writing -----------------------------------------------------------------------------

    @pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.SHARED])
    async def test_a_comment_is_stored_for_exactly_its_audience(
        self, desk: Desk, audience: Audience
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Hello</p>", audience))

        answer = await desk.connector.write(an_intent(desk, op, seen))

        written = desk.stored(ticket_id).comments[-1]
        assert written.text == "Hello"
        assert written.is_public is (audience is Audience.PUBLIC)
        assert answer.comment_ids == (written.comment_id,)
        assert answer.stored in {(audience,), (None,)}

    async def test_a_private_comment_after_a_public_one_stays_private(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        for number, audience in enumerate((Audience.PUBLIC, Audience.SHARED)):
            seen = await look(desk, ticket_id)
            draft = a_draft(desk, f"<p>No. {number}</p>", audience)
            op = an_update(desk, ticket_id, comment=draft, op_id=f"{number:032x}")
            await desk.connector.write(an_intent(desk, op, seen))
        assert [c.is_public for c in desk.stored(ticket_id).comments[-2:]] == [True, False]

    async def test_comment_status_and_tags_go_in_one_write(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.change(ticket_id, tags=frozenset({"keep", "drop"}))
        seen = await look(desk, ticket_id)
        op = an_update(
            desk,
            ticket_id,
            comment=a_draft(desk, "<p>Done</p>"),
            status=desk.statuses.waiting,
            add_tags=frozenset({"fresh"}),
            remove_tags=frozenset({"drop"}),
        )
        requests, writes = desk.sandbox.log.request_count, desk.sandbox.log.write_count

        answer = await desk.connector.write(an_intent(desk, op, seen))

        assert desk.sandbox.log.write_count - writes == 1
        assert desk.sandbox.log.request_count - requests <= desk.requests_per_write
        stored = desk.stored(ticket_id)
        assert stored.status == desk.statuses.waiting
        assert {"keep", "fresh"} <= stored.tags
        assert "drop" not in stored.tags
        assert stored.comments[-1].text == "Done"
        shown = answer.sighting.ticket
        assert shown is not None
        assert shown.status == desk.statuses.waiting
        assert {"keep", "fresh"} <= shown.tags

    async def test_the_answer_brings_the_mirror_up_to_date(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Ours</p>"))
        answer = await desk.connector.write(an_intent(desk, op, seen))

        known = merge_snapshot(seen, answer.sighting)

        assert known is not None
        assert known.ticket.fields_as_of > seen.ticket.fields_as_of
        assert known.comments[-1].comment_id == answer.comment_ids[0]
        assert text_of(known.comments[-1].html) == "Ours"
        assert known.ticket.comments_as_of >= seen.ticket.comments_as_of

    async def test_a_write_under_a_spent_precondition_changes_nothing(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        await desk.answer(ticket_id, "<p>A person was faster</p>")
        before = desk.stored(ticket_id)
        op = an_update(
            desk, ticket_id, comment=a_draft(desk, "<p>Late</p>"), status=desk.statuses.waiting
        )

        with pytest.raises(Stale):
            await desk.connector.write(an_intent(desk, op, seen))

        assert desk.stored(ticket_id) == before

    async def test_a_write_to_a_ticket_that_is_gone_says_so(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        await desk.delete(ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Hello?</p>"))
        with pytest.raises(Gone):
            await desk.connector.write(an_intent(desk, op, seen))

    async def test_a_value_that_was_replaced_is_told_or_unknown(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status=desk.statuses.waiting)
        answer = await desk.connector.write(an_intent(desk, op, seen))
        assert answer.replaced_status in {seen.ticket.status, None}

    async def test_a_ticket_is_created_with_its_first_message(self, desk: Desk) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        op = a_creation(desk, a_draft(desk, "<p>First</p>"))

        answer = await desk.connector.write(an_intent(desk, op))

        assert desk.tickets(op.external_id) == (answer.ticket_id,)
        stored = desk.stored(answer.ticket_id)
        assert (stored.subject, stored.status) == (op.subject, desk.statuses.open)
        assert op.tags <= stored.tags
        assert [(c.text, c.is_public) for c in stored.comments] == [("First", True)]
        assert answer.comment_ids == tuple(c.comment_id for c in stored.comments)
        assert answer.sighting.ticket is not None

    async def test_a_silent_creation_keeps_every_comment_in_order(self, desk: Desk) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        at = desk.clock.now()
        drafts = [
            replace(
                a_draft(desk, f"<p>No. {number}</p>", audience),
                occurred_at=at.replace(year=at.year - 1, minute=number),
            )
            for number, audience in enumerate((Audience.PUBLIC, Audience.SHARED, Audience.PUBLIC))
        ]
        op = a_creation(desk, *drafts, is_silent=True)

        answer = await desk.connector.write(an_intent(desk, op))

        stored = desk.stored(answer.ticket_id)
        assert [c.text for c in stored.comments] == ["No. 0", "No. 1", "No. 2"]
        assert [c.is_public for c in stored.comments] == [True, False, True]
        assert answer.comment_ids == tuple(c.comment_id for c in stored.comments)

    async def test_a_public_comment_can_be_made_private(self, desk: Desk) -> None:
        if not desk.connector.capabilities.can_restrict:
            pytest.skip("this desk cannot make a comment private")
        ticket_id = await desk.open_ticket()
        written = await desk.answer(ticket_id, "<p>Oops</p>")
        seen = await look(desk, ticket_id)
        op = RestrictComment(
            op_id=an_update(desk, ticket_id).op_id,
            side=desk.side,
            ticket_id=ticket_id,
            comment_id=written,
            source_id=CommentId("source-1"),
        )
        intent = an_intent(desk, op, seen)

        await desk.connector.write(intent)
        await desk.connector.write(intent)

        assert not desk.stored(ticket_id).comments[-1].is_public

    # --- the change feed ---------------------------------------------------------------------

    async def test_the_feed_starts_at_the_present(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.catch_up()
        await desk.catch_up()
        sightings, cursor = await walk(desk.connector, None)
        assert [s for s in sightings if s.ticket_id == ticket_id] == []
        assert cursor

    async def test_the_feed_brings_what_people_did(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        desk.clock.advance(1)
        answered = await desk.answer(
            ticket_id,
            "<p>Seen</p>",
            status=desk.statuses.waiting,
            tags=frozenset({"urgent"}),
        )
        desk.clock.advance(1)
        noted = await desk.answer(ticket_id, "<p>Quietly</p>", is_public=False)
        await desk.catch_up()

        sightings, _ = await walk(desk.connector, cursor)
        after = mirrored(ticket_id, sightings, known)

        assert after.ticket.status == desk.statuses.waiting
        assert "urgent" in after.ticket.tags
        assert [c.comment_id for c in after.comments[-2:]] == [answered, noted]
        assert [c.audience for c in after.comments[-2:]] == [Audience.PUBLIC, Audience.SHARED]
        assert [text_of(c.html) for c in after.comments[-2:]] == ["Seen", "Quietly"]
        assert all(c.author.name for c in after.comments)
        assert all(c.author.role is not Role.UNKNOWN for c in after.comments)

    async def test_a_mirror_fed_by_the_feed_equals_a_direct_read(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        for number in range(3):
            desk.clock.advance(1)
            await desk.answer(ticket_id, f"<p>No. {number}</p>", is_public=number != 1)
        desk.clock.advance(1)
        await desk.change(ticket_id, status=desk.statuses.closed, tags=frozenset({"done"}))
        await desk.catch_up()

        sightings, _ = await walk(desk.connector, cursor)
        fed = mirrored(ticket_id, sightings, known)
        read = await look(desk, ticket_id)

        assert fed.comments == read.comments
        assert (fed.ticket.status, fed.ticket.tags) == (read.ticket.status, read.ticket.tags)
        assert fed.ticket.precondition == read.ticket.precondition
        assert fed.ticket.is_confirmed
        assert fed.ticket.comments_as_of >= fed.ticket.fields_as_of

    async def test_a_quiet_ticket_needs_no_read_when_it_moves_again(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        for _ in range(3):
            await desk.open_ticket(subject="Somebody else's")
            await desk.catch_up()
            _, cursor = await walk(desk.connector, cursor)
        await desk.answer(ticket_id, "<p>Back</p>", status=desk.statuses.waiting)
        await desk.catch_up()

        sightings, _ = await walk(desk.connector, cursor)
        after = mirrored(ticket_id, sightings, known)

        assert after.ticket.comments_as_of >= after.ticket.fields_as_of

    async def test_nothing_is_lost_between_two_polls(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        for number in range(6):
            await desk.answer(ticket_id, f"<p>No. {number}</p>")
            desk.clock.advance(20)
            sightings, cursor = await walk(desk.connector, cursor)
            known = mirrored(ticket_id, sightings, known)
        await desk.catch_up()
        sightings, cursor = await walk(desk.connector, cursor)
        known = mirrored(ticket_id, sightings, known)

        expected = [c.comment_id for c in desk.stored(ticket_id).comments]
        assert [c.comment_id for c in known.comments] == expected

    async def test_a_page_read_again_from_its_cursor_brings_the_same(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        await desk.answer(ticket_id, "<p>Again</p>")
        await desk.catch_up()

        first, _ = await walk(desk.connector, cursor)
        second, _ = await walk(desk.connector, cursor)

        once = mirrored(ticket_id, first, known)
        assert mirrored(ticket_id, second, once).comments == once.comments

    async def test_a_comment_made_private_narrows_in_the_mirror(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        written = await desk.answer(ticket_id, "<p>Oops</p>")
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        await desk.restrict(ticket_id, written)
        await desk.catch_up()

        sightings, _ = await walk(desk.connector, cursor)
        after = mirrored(ticket_id, sightings, known)

        narrowed = next(c for c in after.comments if c.comment_id == written)
        assert narrowed.audience is Audience.SHARED

    async def test_a_quiet_desk_brings_nothing(self, desk: Desk) -> None:
        await desk.open_ticket()
        await desk.catch_up()
        _, cursor = await walk(desk.connector, None)
        await desk.catch_up()
        _, cursor = await walk(desk.connector, cursor)
        sightings, _ = await walk(desk.connector, cursor)
        assert all(not s.comments and s.ticket is None for s in sightings)

    # --- webhooks, credentials ---------------------------------------------------------------

    async def test_a_webhook_proves_its_ticket(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        await desk.answer(ticket_id, "<p>Ping</p>", status=desk.statuses.waiting)

        for delivery in await desk.deliveries():
            heard = desk.connector.read_webhook(
                delivery.headers, delivery.body, now=desk.clock.now()
            )
            assert not heard.is_unknown
            for sighting in heard.sightings:
                if sighting.ticket_id == ticket_id:
                    known = mirrored(ticket_id, [sighting], known)
        if known.ticket.is_stale:
            # It says that the ticket moved, and not how.
            fields = await desk.connector.fetch(ticket_id, Read.FIELDS)
            assert fields is not None
            known = mirrored(ticket_id, [fields], known)

        assert known.ticket.status == desk.statuses.waiting
        has_comment = any(text_of(c.html) == "Ping" for c in known.comments)
        assert has_comment or known.ticket.is_comment_hinted

    async def test_a_webhook_with_one_byte_changed_is_not_believed(self, desk: Desk) -> None:
        await desk.open_ticket()
        delivery = (await desk.deliveries())[0]
        forged = delivery.body[:-1] + b" "
        with pytest.raises(Unauthentic):
            desk.connector.read_webhook(delivery.headers, forged, now=desk.clock.now())

    async def test_a_webhook_without_a_signature_is_not_believed(self, desk: Desk) -> None:
        await desk.open_ticket()
        delivery = (await desk.deliveries())[0]
        with pytest.raises(Unauthentic):
            desk.connector.read_webhook({}, delivery.body, now=desk.clock.now())

    async def test_a_webhook_of_yesterday_is_not_believed(self, desk: Desk) -> None:
        await desk.open_ticket()
        delivery = (await desk.deliveries())[0]
        desk.clock.advance(86_400)
        with pytest.raises(Unauthentic):
            desk.connector.read_webhook(delivery.headers, delivery.body, now=desk.clock.now())

    async def test_a_good_credential_passes_every_check(self, desk: Desk) -> None:
        results = await desk.connector.check()
        assert results
        assert [r for r in results if not r.is_ok] == []

    async def test_a_refused_credential_fails_its_check_with_a_hint(self, desk: Desk) -> None:
        connector = desk.with_a_wrong_credential()
        try:
            results = await connector.check()
            with pytest.raises(Unauthorised):
                await connector.fetch(TicketId("1"), Read.FIELDS)
        finally:
            await connector.close()
        assert any(not r.is_ok and r.hint for r in results)

    async def test_a_desk_that_does_not_listen_is_unreachable(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Anybody?</p>"))
        connector = desk.unreachable()
        try:
            with pytest.raises(Unreachable):
                await connector.fetch(ticket_id, Read.FIELDS)
            with pytest.raises(Unreachable):
                await connector.write(an_intent(desk, op, seen))
        finally:
            await connector.close()


def text_of(html: str | None) -> str:
    """The words of a small piece of HTML."""
    out, depth = [], 0
    for character in html or "":
        depth += {"<": 1, ">": -1}.get(character, 0)
        if depth == 0 and character != ">":
            out.append(character)
    return "".join(out).strip()


__all__ = ["ConnectorSuite", "mirrored", "text_of", "walk"]
