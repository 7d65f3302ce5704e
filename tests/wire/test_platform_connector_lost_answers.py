"""A write whose answer was lost is found, repeated or given up, and the platform holds it once."""

from __future__ import annotations

import pytest

from connectors.sandbox import Release
from syncd.core.errors import OutcomeUnknown
from syncd.core.model import Audience, CommentId, Span
from syncd.core.operations import Fate
from tests.support.platform_connector import (
    a_copy,
    a_rig,
    an_aside,
    an_intent,
    an_update_op,
    lost_answers,
)


@pytest.mark.parametrize("action", ["drop_after", "truncate", "html", "status"])
@pytest.mark.parametrize("version", [2, None])
async def test_a_write_that_landed_unanswered_is_found(action: str, version: int | None) -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket()
        op = an_update_op(ticket["id"], comment=an_aside(), status="With customer")
        intent = an_intent(op, version=version)
        rig.strike(action, is_applied=True)
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")

        finding = await rig.connector.find(intent)

        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        assert finding.answer.comment_ids == (CommentId(intent.stamp),)
        assert finding.answer.stored == (Audience.SHARED,)
        assert finding.answer.replaced_status == "Open"
        assert finding.answer.sighting.covers == Span(after=version or 0, to=4)
        assert await rig.count(ticket) == 1


@pytest.mark.parametrize("version", [2, None])
async def test_a_write_that_never_arrived_may_go_again(version: int | None) -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=version)
        rig.strike("drop_before")
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        assert (await rig.connector.find(intent)).fate is Fate.REPEATABLE
        await rig.connector.write(intent)
        assert await rig.count(ticket) == 1


async def test_a_write_that_somebody_overtook_can_never_land() -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        rig.strike("land_late")
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        assert (await rig.connector.find(intent)).fate is Fate.ABSENT
        rig.platform.sandbox.held.release(Release())
        await rig.platform.control.get("/_sandbox/state")
        assert await rig.count(ticket) == 0


async def test_a_repetition_and_its_late_original_land_once() -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        rig.strike("land_late")
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        assert (await rig.connector.find(intent)).fate is Fate.REPEATABLE
        await rig.connector.write(intent)
        rig.platform.sandbox.held.release(Release())
        await rig.platform.control.get("/_sandbox/state")
        assert await rig.count(ticket) == 1


async def test_a_lost_answer_to_a_write_without_effect_is_asked_for_again() -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket(tags=["urgent"])
        op = an_update_op(ticket["id"], add_tags=frozenset({"urgent"}))
        intent = an_intent(op, version=2)
        rig.strike("drop_after")
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        assert (await rig.connector.find(intent)).fate is Fate.REPEATABLE
        assert (await rig.connector.write(intent)).comment_ids == ()


async def test_without_a_precondition_an_absent_write_may_always_go_again() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()))
        await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], status="Closed")
        assert (await rig.connector.find(intent)).fate is Fate.REPEATABLE


async def test_a_write_to_a_ticket_that_is_gone_is_absent() -> None:
    async with a_rig() as rig:
        intent = an_intent(an_update_op("t404", comment=a_copy()), version=2)
        assert (await rig.connector.find(intent)).fate is Fate.ABSENT


async def test_somebody_elses_comment_with_the_same_words_is_not_ours() -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        same = {"body_html": "<p>Only once</p>"}
        await rig.platform.act("Pat Acme", "update", ticket_id=ticket["id"], comment=same)
        assert (await rig.connector.find(intent)).fate is Fate.ABSENT


async def test_a_write_that_landed_is_found_under_many_later_updates() -> None:
    async with lost_answers() as rig:
        ticket = await rig.platform.a_ticket()
        intent = an_intent(an_update_op(ticket["id"], comment=a_copy()), version=2)
        rig.strike("drop_after")
        with pytest.raises(OutcomeUnknown):
            await rig.connector.write(intent)
        for number in range(60):
            body = {"body_html": f"<p>No. {number}</p>"}
            await rig.platform.act("Mia Keller", "update", ticket_id=ticket["id"], comment=body)
        finding = await rig.connector.find(intent)
        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        assert finding.answer.sighting.covers == Span(after=2, to=63)
