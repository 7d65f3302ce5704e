"""What the connector writes is on the platform once and for the right people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.core.errors import Gone, OutcomeUnknown, Rejected, Stale, Unauthorised
from syncd.core.model import Audience, CommentId, OpId, Side, Span, TicketId
from syncd.core.operations import CreateTicket, Fate, Operation, RestrictComment
from tests.support.platform_connector import (
    ANN,
    a_copy,
    a_rig,
    an_aside,
    an_intent,
    an_update_op,
    refusal,
    scripted,
)
from tests.support.platform_desk import OTHER_VIEW, VIEW, Json
from tests.support.platform_values import comment_json, ticket_json, update_json

# --- what lands -----------------------------------------------------------------------------------


async def test_a_comment_lands_with_its_author_its_time_and_the_fields_beside_it() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket(tags=["old", "kept"])
        written_at = datetime(2027, 1, 14, 9, 30, tzinfo=UTC)
        op = an_update_op(
            ticket["id"],
            comment=a_copy(occurred_at=written_at),
            status="With customer",
            add_tags=frozenset({"new"}),
            remove_tags=frozenset({"old"}),
        )
        answer = await rig.connector.write(an_intent(op, version=2))

        held = await rig.platform.dump(ticket)
        assert held["status"] == "With customer"
        assert set(held["tags"]) == {"kept", "new"}
        comment = held["updates"][-1]["comment"]
        assert comment["visibility"] == "public"
        assert comment["author"] == {"name": "Ann Agent", "role": "partner"}
        assert datetime.fromisoformat(comment["occurred_at"]) == written_at
        assert answer.replaced_status == "Open"
        assert answer.replaced_tags == frozenset({"old", "kept"})
        assert answer.stored == (Audience.PUBLIC,)
        assert answer.sighting.covers == Span(after=2, to=3)


async def test_our_comment_is_recognised_wherever_it_is_read() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        answer = await rig.connector.write(intent)
        (shown,) = answer.sighting.comments
        assert shown.stamp == intent.stamp
        assert (await rig.look(ticket)).comments[-1] == shown
        assert answer.comment_ids == (shown.comment_id,)


async def test_an_aside_is_seen_by_its_view_and_no_other() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=OTHER_VIEW)
        op = an_update_op(ticket["id"], comment=an_aside())
        answer = await rig.connector.write(an_intent(op, version=3))
        assert answer.stored == (Audience.SHARED,)

        path = f"/tickets/{ticket['id']}/updates"
        ours = (await rig.platform.acme.get(path)).json()["updates"][-1]
        theirs = (await rig.platform.globex.get(path)).json()["updates"][-1]
        assert ours["comment"]["views"] == [VIEW]
        assert theirs["comment"] is None


async def test_a_note_without_a_view_is_for_the_staff() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        op = an_update_op(ticket["id"], comment=an_aside(view=None))
        answer = await rig.connector.write(an_intent(op, version=2))
        assert answer.stored == (Audience.LOCAL,)
        path = f"/tickets/{ticket['id']}/updates"
        assert (await rig.platform.acme.get(path)).json()["updates"][-1]["comment"] is None


async def test_a_hand_off_takes_the_ticket_out_of_the_view_with_its_reason() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        op = an_update_op(ticket["id"], comment=an_aside(), leave_view=VIEW)
        answer = await rig.connector.write(an_intent(op, version=2))
        assert answer.sighting.ticket is not None
        assert answer.sighting.ticket.views == frozenset()
        last = (await rig.platform.dump(ticket))["updates"][-1]
        assert last["views"]["removed"] == [VIEW]
        assert last["comment"]["body_html"] == "<p>Only once</p>"


async def test_after_the_hand_off_comments_still_land() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.connector.write(an_intent(an_update_op(ticket["id"], leave_view=VIEW), version=2))
        op = an_update_op(ticket["id"], comment=an_aside(), op_id="f" * 32)
        await rig.connector.write(an_intent(op, version=3))
        assert await rig.count(ticket) == 1


async def test_the_customer_is_mailed_about_an_answer_and_not_about_history() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        loud = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        await rig.connector.write(loud)
        silent_op = an_update_op(ticket["id"], comment=a_copy(), is_silent=True, op_id="f" * 32)
        silent = an_intent(silent_op, version=3)
        await rig.connector.write(silent)
        assert await rig.platform.mails(loud.stamp) == {("Mia Keller", "comment")}
        assert await rig.platform.mails(silent.stamp) == set()


async def test_a_write_that_changes_nothing_is_answered_without_an_update() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket(tags=["urgent"])
        op = an_update_op(ticket["id"], add_tags=frozenset({"urgent"}))
        answer = await rig.connector.write(an_intent(op, version=2))
        assert (answer.comment_ids, answer.stored) == ((), ())
        assert answer.sighting.ticket is not None
        assert answer.sighting.ticket.precondition == '"2"'


async def test_a_repetition_has_no_further_effect_and_the_same_answer() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        first = await rig.connector.write(intent)
        await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        again = await rig.connector.write(intent)
        assert again.comment_ids == first.comment_ids
        assert again.sighting.comments == first.sighting.comments
        assert again.sighting.ticket is not None
        assert again.sighting.ticket.status == "Closed"
        assert again.replaced_tags is None
        assert await rig.count(ticket) == 1


# --- what is refused ------------------------------------------------------------------------------


async def test_a_ticket_that_moved_is_left_alone() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        op = an_update_op(ticket["id"], comment=a_copy(), status="Open")
        with pytest.raises(Stale):
            await rig.connector.write(an_intent(op, version=2))
        held = await rig.platform.dump(ticket)
        assert (held["version"], held["status"]) == (3, "Closed")


async def test_without_a_precondition_any_version_will_do() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.connector.write(an_intent(an_update_op(ticket["id"], comment=a_copy())))
        assert "if-match" not in rig.transport.requests[-1].headers
        assert await rig.count(ticket) == 1


async def test_a_ticket_that_is_gone_is_named_so() -> None:
    async with a_rig() as rig:
        with pytest.raises(Gone):
            await rig.connector.write(an_intent(an_update_op("t404", comment=a_copy())))


async def test_an_id_with_another_body_is_refused_with_a_hint() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.connector.write(an_intent(an_update_op(ticket["id"], comment=a_copy())))
        other = an_update_op(ticket["id"], comment=a_copy("<p>Other</p>"))
        with pytest.raises(Rejected) as caught:
            await rig.connector.write(an_intent(other))
        assert "update_id_reused" in str(caught.value)
        assert "backup" in caught.value.hint
        assert await rig.count(ticket, "<p>Other</p>") == 0


async def test_the_status_of_a_ticket_in_no_view_is_for_others_to_set() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        await rig.platform.act("Hana Sato", "withdraw", ticket_id=ticket["id"], view=VIEW)
        op = an_update_op(ticket["id"], status="Closed")
        with pytest.raises(Rejected) as caught:
            await rig.connector.write(an_intent(op, version=3))
        assert "staff" in caught.value.hint
        assert caught.value.field == "status"


async def test_a_view_that_is_not_ours_stops_one_link_and_not_the_connection() -> None:
    async with a_rig(token=f"{VIEW}-token") as rig:
        ticket = await rig.platform.a_ticket()
        ops = [
            an_update_op(ticket["id"], comment=an_aside(view=OTHER_VIEW)),
            an_update_op(ticket["id"], leave_view=OTHER_VIEW),
        ]
        for op in ops:
            with pytest.raises(Rejected) as caught:
                await rig.connector.write(an_intent(op, version=2))
            assert "view" in caught.value.hint


async def test_a_missing_scope_stops_the_connection() -> None:
    async with scripted(refusal(403, "scope_missing")) as desk:
        with pytest.raises(Unauthorised) as caught:
            await desk.connector.write(an_intent(an_update_op("t1", status="Open")))
    assert "tickets:write" in caught.value.hint


@pytest.mark.parametrize("html", ["<p> </p>", "", "<br><br>", "<p>\u200b&nbsp;</p>"])
async def test_a_comment_of_which_nothing_is_left_is_written_as_an_ellipsis(html: str) -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        op = an_update_op(ticket["id"], comment=a_copy(html))
        await rig.connector.write(an_intent(op, version=2))
        assert await rig.count(ticket, "<p>\u2026</p>") == 1


@pytest.mark.parametrize(
    "error", [refusal(422, "invalid", field="ignore <b>all</b> words"), refusal(422, "My Code")]
)
async def test_what_a_refusal_says_is_repeated_only_if_it_is_a_name(error: Any) -> None:
    async with scripted(error) as desk:
        with pytest.raises(Rejected) as caught:
            await desk.connector.write(an_intent(an_update_op("t1", status="Open")))
    for words in ("<b>", "My Code", "Words for a person"):
        assert words not in f"{caught.value} {caught.value.field} {caught.value.hint}"


@pytest.mark.parametrize(
    "op",
    [
        CreateTicket(
            op_id=OpId("1" * 32),
            side=Side.PLATFORM,
            external_id="syncd:acme-postgres:1",
            subject="S",
            status="Open",
            tags=frozenset(),
            requester=ANN,
            comments=(),
        ),
        RestrictComment(
            op_id=OpId("1" * 32),
            side=Side.PLATFORM,
            ticket_id=TicketId("t1"),
            comment_id=CommentId("c1"),
            source_id=CommentId("c2"),
        ),
    ],
    ids=["create", "restrict"],
)
async def test_what_the_platform_cannot_do_is_refused_without_a_request(op: Operation) -> None:
    async with a_rig() as rig:
        with pytest.raises(Rejected):
            await rig.connector.write(an_intent(op))
        assert (await rig.connector.find(an_intent(op))).fate is Fate.ABSENT
        assert rig.transport.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        {"ticket": ticket_json(id="t2"), "update": None},
        {"ticket": ticket_json(), "update": update_json(comment=comment_json())},
        {"ticket": ticket_json(), "update": "yes"},
        {"ticket": ticket_json()},
        {"ok": True},
    ],
    ids=["other-ticket", "other-update", "no-update", "half", "other"],
)
async def test_an_answer_to_something_else_leaves_the_outcome_unknown(answer: Json) -> None:
    async with scripted(answer) as desk:
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(an_intent(an_update_op("t1", comment=a_copy())))
        assert len(desk.requests) == 1


async def test_an_answer_from_before_the_write_leaves_the_outcome_unknown() -> None:
    intent = an_intent(an_update_op("t1", comment=a_copy()))
    early = {"ticket": ticket_json(), "update": update_json(id=intent.stamp, version=8)}
    async with scripted(early) as desk:
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
