"""A partner's ticket that is merged away: followed where nothing can mix, and told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.app import parts
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import LOOK_SECONDS, BothDesks, both_desks
from tests.engine.lineages import (
    a_pair,
    a_stranger,
    bodies,
    do,
    newest,
    partner_ticket,
    said_at_platform,
)

MOVED = "goes on in another ticket"
LEFT = "is not followed there"


async def a_sister(desks: BothDesks, ticket_id: str, text: str) -> PartnerTicket:
    """Another ticket of the same requester in the partner's desk, in no pair."""
    requester_id = desks.twin(ticket_id).values["requester_id"]
    return partner_ticket(desks, await a_stranger(desks, text, requester_id=requester_id))


async def answers(desks: BothDesks, ticket: PartnerTicket, html: str, **members: Any) -> None:
    """An agent writes on a ticket of the partner's."""
    desks.said.append(html)
    comment = {"html": html, "public": members.pop("public", True)}
    await do(desks, "update", ticket, comment=comment, **members)


async def merged(desks: BothDesks, text: str = "altes Gespräch, nicht für euch") -> Any:
    """A pair whose twin was merged into another ticket of the same person."""
    ticket_id = await a_pair(desks)
    target = await a_sister(desks, ticket_id, text)
    await desks.settle()
    await do(desks, "merge", desks.twin(ticket_id), into=target.id)
    return ticket_id, target


async def test_the_pair_goes_on_in_the_target_and_the_platform_is_told_once(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        await desks.settle()
        assert await newest(desks, ticket_id) is target
        assert said_at_platform(desks, ticket_id, MOVED) == 1
        assert desks.ticket(ticket_id).status == "Open"
        await answers(desks, target, "<p>nach dem Zusammenführen</p>", status="pending")
        desks.write(ticket_id, "<p>die Frage danach</p>")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, "nach dem Zusammenführen") == 1
        assert len([b for b in bodies(target) if "die Frage danach" in b]) == 1
        assert said_at_platform(desks, ticket_id, MOVED) == 1


async def test_what_stood_in_the_target_before_and_the_merges_own_words_stay_there(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        await desks.settle()
        await answers(desks, target, "<p>nach dem Zusammenführen</p>")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, "nicht für euch") == 0
        assert said_at_platform(desks, ticket_id, "merged into request") == 0
        assert said_at_platform(desks, ticket_id, "were merged into this one") == 0


async def test_another_ticket_merged_into_the_twin_brings_nothing_to_the_platform(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        source = partner_ticket(desks, await a_stranger(desks, "Worte eines Fremden"))
        quoted = {"target_comment": "Last comment: Worte eines Fremden"}
        twin = desks.twin(ticket_id)
        for is_public in (False, True):
            await do(
                desks, "merge", source, into=twin.id, target_comment_is_public=is_public, **quoted
            )
            await desks.settle()
            source = partner_ticket(desks, await a_stranger(desks, "Worte eines Fremden"))
        assert len([b for b in bodies(twin) if "Fremden" in b]) == 2
        assert said_at_platform(desks, ticket_id, "Fremden") == 0
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_the_twins_last_words_reach_the_platform_before_the_pair_moves(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        target = await a_sister(desks, ticket_id, "altes Gespräch, nicht für euch")
        await desks.answer(ticket_id, "<p>das letzte Wort</p>", public=False)
        await do(desks, "merge", desks.twin(ticket_id), into=target.id)
        desks.write(ticket_id, "<p>die Frage danach</p>")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, "das letzte Wort") == 1
        assert len([b for b in bodies(target) if "die Frage danach" in b]) == 1


async def test_a_phrase_in_a_ticket_that_was_merged_away_hands_the_ticket_over(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        target = await a_sister(desks, ticket_id, "altes Gespräch, nicht für euch")
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", public=False)
        await do(desks, "merge", desks.twin(ticket_id), into=target.id)
        await desks.settle()
        assert desks.ticket(ticket_id).views == []
        assert "with-platform" in target.tags
        assert len([b for b in bodies(target) if "is now with" in b]) == 1


async def test_a_target_of_another_requester_parks_and_the_platform_is_told_once(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        target = partner_ticket(desks, await a_stranger(desks, "Worte eines Fremden"))
        await do(desks, "merge", desks.twin(ticket_id), into=target.id)
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "partner_ticket_merged"
        assert "another requester" in hint
        for _ in range(2):
            assert said_at_platform(desks, ticket_id, LEFT) == 1
            assert said_at_platform(desks, ticket_id, "Fremden") == 0
            await desks.retry(ticket_id)
            await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "partner_ticket_merged"
        assert desks.ticket(ticket_id).status == "Open"


async def test_a_target_in_another_pair_parks_and_that_pair_goes_on(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        other_id = await a_pair(desks, "<p>das andere Anliegen</p>")
        source, target = desks.twin(ticket_id), desks.twin(other_id)
        await do(desks, "update", source, requester_id=target.values["requester_id"])
        await desks.settle()
        await do(desks, "merge", source, into=target.id)
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "partner_ticket_merged"
        assert "another pair" in hint
        assert (await desks.pair(other_id)).state is PairState.ACTIVE
        await desks.answer(other_id, "<p>weiter hier</p>")
        await desks.settle()
        assert said_at_platform(desks, other_id, "weiter hier") == 1
        assert said_at_platform(desks, ticket_id, "weiter hier") == 0


@pytest.mark.parametrize(
    ("tags_merged", "shows_merge_via"), [(True, True), (False, True), (True, False)]
)
@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_merge_is_followed_or_parked_whichever_way_it_is_told(
    tmp_path: Path, tags_merged: bool, shows_merge_via: bool, has_webhooks: bool
) -> None:
    async with both_desks(
        tmp_path,
        has_webhooks=has_webhooks,
        tags_merged=tags_merged,
        shows_merge_via=shows_merge_via,
    ) as desks:
        ticket_id, target = await merged(desks)
        await desks.settle()
        if shows_merge_via:
            assert await newest(desks, ticket_id) is target
        else:
            reason, hint = await desks.parked(ticket_id)
            assert reason == "partner_ticket_merged"
            assert "not known" in hint
        assert said_at_platform(desks, ticket_id, "nicht für euch") == 0
        assert desks.ticket(ticket_id).status == "Open"


async def test_a_target_that_is_merged_on_is_followed_to_the_end(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, second = await merged(desks)
        third = await a_sister(desks, ticket_id, "noch ein altes Gespräch")
        await do(desks, "merge", second, into=third.id)
        await desks.settle()
        assert await newest(desks, ticket_id) is third
        assert said_at_platform(desks, ticket_id, "altes Gespräch") == 0


async def test_a_target_that_is_closed_for_good_goes_on_in_a_follow_up(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        for status in ("solved", "closed"):
            await do(desks, "update", target, status=status)
        await desks.settle()
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        assert [ticket.id] == target.followup_ids
        assert "es geht wieder nicht" in ticket.comments[0].body


@pytest.mark.parametrize("loss", ["drop_before", "drop_after", "503 before", "503 after"])
async def test_a_lost_answer_to_the_note_about_it_tells_the_platform_once(
    tmp_path: Path, loss: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        action = "status" if loss.startswith("503") else loss
        is_applied = loss == "503 after"
        desks.arm(Side.PLATFORM, action, kind="write", status=503, is_applied=is_applied)
        await desks.settle()
        assert said_at_platform(desks, ticket_id, MOVED) == 1
        assert await newest(desks, ticket_id) is target


async def test_a_process_that_starts_after_one_was_killed_is_in_the_target_too(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        pair_id = (await desks.pair(ticket_id)).pair_id
        desks.arm(Side.PLATFORM, "drop_after", kind="write")
        while not desks.events("op.unknown"):
            await desks.round()
        async with parts(desks.made.config, owner="next", clock=desks.clock) as fresh:
            desks.clock.advance(LOOK_SECONDS)
            await fresh.reconciler.reconcile(pair_id)
        await answers(desks, target, "<p>nach dem Zusammenführen</p>")
        await desks.settle()
        assert await newest(desks, ticket_id) is target
        assert said_at_platform(desks, ticket_id, "nach dem Zusammenführen") == 1
        assert said_at_platform(desks, ticket_id, "nicht für euch") == 0
        assert said_at_platform(desks, ticket_id, MOVED) == 1


async def test_the_targets_status_counts_from_the_merge_on(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, target = await merged(desks)
        await desks.settle()
        await do(desks, "update", target, status="pending")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "With customer"
