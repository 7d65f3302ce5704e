"""What every `Connector` must do when the desk or the line fails: name the failure, lose nothing.

The heart is the lost answer: a write whose outcome is unknown is found, or repeated, and the desk
holds it once either way.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from connectors.sandbox import Fault, Release
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RemoteError,
    Stale,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, TicketId
from syncd.core.operations import Fate, Finding, Intent
from syncd.ports import Read
from tests.contract.desk import Desk, a_creation, a_draft, an_intent, an_update, look

_HELD_SECONDS = 30.0
SECRET_TEXT = "the customer's own words"

READ_FAILURES: dict[int, type[RemoteError]] = {
    302: Unintelligible,
    400: Unintelligible,
    401: Unauthorised,
    403: Unauthorised,
    408: Unreachable,
    409: Unintelligible,
    422: Unintelligible,
    429: RateLimited,
    500: Unreachable,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}
WRITE_FAILURES: dict[int, type[RemoteError]] = {
    302: OutcomeUnknown,
    400: Rejected,
    401: Unauthorised,
    403: Unauthorised,
    404: Gone,
    408: OutcomeUnknown,
    409: Stale,
    410: Gone,
    412: Stale,
    413: Rejected,
    422: Rejected,
    429: RateLimited,
    500: OutcomeUnknown,
    502: OutcomeUnknown,
    503: OutcomeUnknown,
    504: OutcomeUnknown,
}


class ConnectorFaults:
    """The error table, and writes whose answer is lost."""

    # --- the error table ---------------------------------------------------------------------

    @pytest.mark.parametrize(("status", "expected"), list(READ_FAILURES.items()))
    async def test_a_failed_read_is_named_by_what_to_do(
        self, desk: Desk, status: int, expected: type[RemoteError]
    ) -> None:
        ticket_id = await desk.open_ticket()
        await desk.connector.fetch(ticket_id, Read.FIELDS)
        desk.sandbox.faults.arm(a_refusal(desk, status))
        with pytest.raises(expected) as caught:
            await desk.connector.fetch(ticket_id, Read.FIELDS)
        tells_nothing_private(desk, caught.value)

    @pytest.mark.parametrize(("status", "expected"), list(WRITE_FAILURES.items()))
    async def test_a_failed_write_is_named_by_what_to_do(
        self, desk: Desk, status: int, expected: type[RemoteError]
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, f"<p>{SECRET_TEXT}</p>"))
        before = desk.stored(ticket_id)
        writes = desk.sandbox.log.write_count
        desk.sandbox.faults.arm(a_refusal(desk, status, kind="write"))
        with pytest.raises(expected) as caught:
            await desk.connector.write(an_intent(desk, op, seen))
        tells_nothing_private(desk, caught.value)
        assert desk.stored(ticket_id) == before
        # A refused credential may be renewed and tried once more; nothing else is sent twice.
        assert status == 401 or desk.sandbox.log.write_count - writes == 1

    async def test_a_read_outlives_a_hiccup(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.connector.fetch(ticket_id, Read.FIELDS)
        for fault in (Fault(action="status", status=502), Fault(action="drop_before")):
            desk.sandbox.faults.arm(fault)
            assert await desk.connector.fetch(ticket_id, Read.FIELDS) is not None

    @pytest.mark.parametrize("action", ["html", "truncate"])
    async def test_a_read_that_is_no_json_is_unintelligible(self, desk: Desk, action: str) -> None:
        ticket_id = await desk.open_ticket()
        await desk.connector.fetch(ticket_id, Read.FIELDS)
        desk.sandbox.faults.arm(spoiled(desk, action))
        with pytest.raises(Unintelligible) as caught:
            await desk.connector.fetch(ticket_id, Read.FIELDS)
        tells_nothing_private(desk, caught.value)

    @pytest.mark.parametrize("action", ["html", "truncate"])
    async def test_a_write_answered_by_no_json_is_unknown_and_found(
        self, desk: Desk, action: str
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, f"<p>{SECRET_TEXT}</p>"))
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(spoiled(desk, action, kind="write"))
        with pytest.raises(OutcomeUnknown) as caught:
            await desk.connector.write(intent)
        tells_nothing_private(desk, caught.value)
        desk.clock.advance(3)
        assert (await desk.connector.find(intent)).fate is Fate.FOUND

    async def test_a_desk_that_asks_to_wait_is_taken_at_its_word(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.connector.fetch(ticket_id, Read.FIELDS)
        fault = Fault(
            action="status", status=429, path=desk.ticket_path, headers=(("retry-after", "37"),)
        )
        desk.sandbox.faults.arm(fault)
        with pytest.raises(RateLimited) as caught:
            await desk.connector.fetch(ticket_id, Read.FIELDS)
        asked_at = desk.clock.now()
        assert (caught.value.retry_at - asked_at).total_seconds() == pytest.approx(37, abs=1)

        assert await desk.connector.fetch(ticket_id, Read.FIELDS) is not None

        assert (desk.clock.now() - asked_at).total_seconds() >= 36

    # --- lost answers ------------------------------------------------------------------------

    @pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.SHARED])
    async def test_a_comment_whose_answer_was_lost_is_found_once(
        self, desk: Desk, audience: Audience
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        draft = a_draft(desk, "<p>Only once</p>", audience)
        op = an_update(desk, ticket_id, comment=draft, status=desk.statuses.waiting)
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)

        desk.clock.advance(3)
        finding = await desk.connector.find(intent)

        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        stored = desk.stored(ticket_id)
        assert stored.count("Only once") == 1
        assert finding.answer.comment_ids == (stored.comments[-1].comment_id,)
        assert finding.answer.stored in {(audience,), (None,)}
        known = merge_snapshot(seen, finding.answer.sighting)
        assert known is not None
        assert known.ticket.status == desk.statuses.waiting

    async def test_a_comment_that_never_arrived_goes_again_and_lands_once(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Only once</p>"))
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)

        assert (await settled(desk, intent)).fate is Fate.REPEATABLE
        await desk.connector.write(intent)

        assert desk.stored(ticket_id).count("Only once") == 1

    async def test_a_write_that_a_person_overtook_is_absent_for_good(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Only once</p>"))
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        await desk.answer(ticket_id, "<p>A person</p>")

        assert (await settled(desk, intent)).fate is Fate.ABSENT
        with pytest.raises(Stale):
            await desk.connector.write(intent)

    async def test_a_write_that_lands_late_lands_once(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Only once</p>"))
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="land_late", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        if not desk.guards_comments:
            # Nothing would refuse the late one: it must not go again while that can come.
            with pytest.raises(OutcomeUnknown):
                await desk.connector.find(intent)
            await release(desk, ticket_id)
            assert (await desk.connector.find(intent)).fate is Fate.FOUND
            assert desk.stored(ticket_id).count("Only once") == 1
            return
        assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
        await desk.connector.write(intent)

        await release(desk, ticket_id)

        assert desk.stored(ticket_id).count("Only once") == 1

    async def test_an_agents_comment_is_not_taken_for_ours(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Same words</p>"))
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        await desk.answer(ticket_id, "<p>Same words</p>")
        assert (await settled(desk, intent)).fate is Fate.ABSENT

    async def test_fields_whose_answer_was_lost_are_planned_again(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status=desk.statuses.waiting)
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        # Fields carry no mark: what matters is that they are not written blindly again.
        assert (await desk.connector.find(intent)).fate in {Fate.ABSENT, Fate.FOUND}

    async def test_fields_whose_answer_was_lost_are_found_behind_what_a_person_changed_after(
        self, desk: Desk
    ) -> None:
        """Else what a person decided, knowing ours, would count as decided at the same time."""
        ticket_id = await desk.open_ticket()
        await desk.change(ticket_id, tags=frozenset({"vip"}))
        seen = await look(desk, ticket_id)
        op = an_update(
            desk,
            ticket_id,
            status=desk.statuses.waiting,
            add_tags=frozenset({"urgent"}),
            remove_tags=frozenset({"vip"}),
        )
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        await desk.change(ticket_id, status=desk.statuses.closed, tags=frozenset({"vip"}))
        desk.clock.advance(3)

        finding = await desk.connector.find(intent)

        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        known = merge_snapshot(seen, finding.answer.sighting)
        assert known is not None
        assert known.ticket.is_stale or known.ticket.status == desk.statuses.closed

    async def test_fields_that_never_arrived_are_not_found_behind_what_a_person_changed(
        self, desk: Desk
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        tags = frozenset({"urgent"})
        op = an_update(desk, ticket_id, status=desk.statuses.waiting, add_tags=tags)
        intent = an_intent(desk, op, seen)
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        await desk.change(ticket_id, status=desk.statuses.closed, tags=tags)
        desk.clock.advance(3)
        assert (await desk.connector.find(intent)).fate is Fate.ABSENT

    async def test_what_a_person_changes_before_our_write_is_read_back_is_theirs(
        self, desk: Desk
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status=desk.statuses.waiting)
        desk.sandbox.faults.arm(Fault(action="hold_after", kind="write", path=desk.ticket_path))
        writing = asyncio.create_task(desk.connector.write(an_intent(desk, op, seen)))
        assert await desk.sandbox.held.wait(_HELD_SECONDS)
        await desk.change(ticket_id, status=desk.statuses.closed, tags=frozenset({"vip"}))
        desk.sandbox.held.release(Release())

        answer = await writing

        shown = answer.sighting.ticket
        assert shown is not None
        assert shown.status == desk.statuses.waiting or answer.is_read_later

    @pytest.mark.parametrize("is_silent", [False, True])
    async def test_a_creation_whose_answer_was_lost_is_found_once(
        self, desk: Desk, is_silent: bool
    ) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        op = a_creation(desk, a_draft(desk, "<p>First</p>"), is_silent=is_silent)
        intent = an_intent(desk, op)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)

        desk.clock.advance(3)
        finding = await desk.connector.find(intent)

        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        assert desk.tickets(op.external_id) == (finding.answer.ticket_id,)
        stored = desk.stored(finding.answer.ticket_id)
        assert finding.answer.comment_ids == tuple(c.comment_id for c in stored.comments)

    @pytest.mark.parametrize("is_silent", [False, True])
    async def test_a_creation_that_never_arrived_goes_again_and_lands_once(
        self, desk: Desk, is_silent: bool
    ) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        op = a_creation(desk, a_draft(desk, "<p>First</p>"), is_silent=is_silent)
        intent = an_intent(desk, op)
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE

        answer = await desk.connector.write(intent)

        assert desk.tickets(op.external_id) == (answer.ticket_id,)

    async def test_a_creation_sent_twice_makes_one_ticket(self, desk: Desk) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        op = a_creation(desk, a_draft(desk, "<p>First</p>"))
        intent = an_intent(desk, op)
        first = await desk.connector.write(intent)
        desk.clock.advance(60)
        second = await desk.connector.write(intent)
        assert first.ticket_id == second.ticket_id
        assert first.comment_ids == second.comment_ids
        assert desk.tickets(op.external_id) == (first.ticket_id,)

    async def test_a_feed_page_that_failed_is_read_again_from_its_cursor(self, desk: Desk) -> None:
        await desk.open_ticket()
        changes = await desk.connector.read_changes(None)
        desk.sandbox.faults.arm(Fault(action="html", status=200, times=1))
        with pytest.raises(Unintelligible):
            await desk.connector.read_changes(changes.cursor)
        again = await desk.connector.read_changes(changes.cursor)
        assert again.cursor


async def settled(desk: Desk, intent: Intent) -> Finding:
    """What became of a write, as soon as it can be told."""
    desk.clock.advance(3)
    if not desk.guards_comments:
        with pytest.raises(OutcomeUnknown):
            await desk.connector.find(intent)
        await desk.outlast()
    return await desk.connector.find(intent)


async def release(desk: Desk, ticket_id: TicketId) -> None:
    """Let what is held arrive, and the desk deal with it."""
    desk.sandbox.held.release(Release())
    await desk.connector.fetch(ticket_id, Read.FIELDS)
    await desk.sandbox.landed()


Kind = Literal["any", "read", "write"]


def a_refusal(desk: Desk, status: int, *, kind: Kind = "any") -> Fault:
    """Requests about tickets are answered so, with a body that must not be repeated."""
    return Fault(
        action="status",
        kind=kind,
        status=status,
        path=desk.ticket_path,
        times=None,
        body={"error": "RecordInvalid", "description": SECRET_TEXT, "details": {SECRET_TEXT: []}},
    )


def spoiled(desk: Desk, action: str, *, kind: Kind = "any") -> Fault:
    """Requests about tickets are carried out, and answered with what is no JSON."""
    path = desk.ticket_path
    if action == "html":
        return Fault(action="html", status=200, path=path, kind=kind, is_applied=True)
    return Fault(action="truncate", path=path, kind=kind)


def tells_nothing_private(desk: Desk, error: BaseException | None) -> None:
    """No error in the chain shows a ticket's text or a credential."""
    while error is not None:
        shown = f"{error} {error!r} {getattr(error, 'hint', '')} {vars(error)}"
        assert SECRET_TEXT not in shown
        for secret in desk.secrets:
            assert secret not in shown
        error = error.__cause__


__all__ = ["ConnectorFaults"]
