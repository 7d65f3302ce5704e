"""A person leaves something as it is: each reason for which a pair parks has a way on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.platform.connector import PlatformConnector
from connectors.zendesk import connector
from connectors.zendesk.capabilities import CAPABILITIES
from connectors.zendesk.connector import ZendeskConnector
from syncd.core.model import Audience, End, Side, Sighting
from syncd.core.operations import Answer, Intent, UpdateTicket
from syncd.core.work import BY_HAND, Ignored, PairState, Park
from syncd.engine.ignoring import Proposal, propose
from tests.engine.both_desks import AGENT, HEROKU, LINK, STAFF, BothDesks, both_desks, both_know

Write = Callable[[Intent, Answer], Answer]


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


async def proposed(desks: BothDesks, ticket_id: str, name: str | None = None) -> Proposal:
    inspection = await desks.made.store.inspect((await desks.pair(ticket_id)).pair_id)
    assert inspection is not None
    link = desks.made.links.find(LINK)
    assert link is not None
    return await propose(inspection, link, clock=desks.clock, name=name)


async def ignore(desks: BothDesks, ticket_id: str, name: str | None = None) -> str:
    """A person leaves it; what was left, in words."""
    proposal = await proposed(desks, ticket_id, name)
    assert proposal.ignored is not None, proposal.hint
    await take(desks, ticket_id, proposal.ignored)
    return "; ".join(proposal.ignored.what)


async def take(desks: BothDesks, ticket_id: str, ignored: Ignored) -> None:
    pair_id = (await desks.pair(ticket_id)).pair_id
    store, now = desks.made.store, desks.clock.now()
    assert await store.ignore(pair_id, ignored, actor="cli:test", now=now)
    assert await store.deeds(pair_id=pair_id, limit=1) != []
    await desks.settle()


async def goes_on(desks: BothDesks, ticket_id: str, partner: str = "alles klar") -> None:
    """Nothing happens by itself, and what people write on both desks travels again."""
    assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
    before = desks.writes()
    await desks.settle()
    assert desks.writes() == before, "nothing is owed"
    desks.write(ticket_id, "<p>es geht weiter</p>", who=STAFF, visibility="private", views=[LINK])
    await desks.answer(ticket_id, f"<p>{partner}</p>", public=False)
    await desks.settle()
    both_know(desks, ticket_id, "es geht weiter", partner)
    assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


# --- what a desk refuses -------------------------------------------------------------------------


async def test_a_comment_that_the_desk_refuses_stays_and_what_follows_it_travels(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "status", kind="write", status=422, times=1)
        desks.write(
            ticket_id, "<p>das will er nicht</p>", who=STAFF, visibility="private", views=[LINK]
        )
        desks.write(ticket_id, "<p>das schon</p>", who=STAFF, visibility="private", views=[LINK])
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "refused"

        left = await ignore(desks, ticket_id)

        assert left.startswith("comment ")
        assert desks.heard(ticket_id, "das will er nicht") == []
        assert len(desks.heard(ticket_id, "das schon")) == 1
        await goes_on(desks, ticket_id)
        assert desks.heard(ticket_id, "das will er nicht") == []


async def test_a_comment_by_or_for_somebody_suspended_stays(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        users = desks.partners["acme"].desk.account.users
        requester = users[desks.twin(ticket_id).values["requester_id"]]
        requester.is_suspended = True
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "user_suspended"
        requester.is_suspended = False
        await ignore(desks, ticket_id)
        assert desks.heard(ticket_id, "noch eine Frage") == []
        await goes_on(desks, ticket_id)


async def test_tags_that_a_desk_refuses_stay_on_the_other(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PLATFORM, "status", kind="write", status=422, times=1)
        await desks.answer(ticket_id, tags=["t-neu"])
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "refused"
        assert await ignore(desks, ticket_id) == "tags on the platform's desk"
        assert "t-neu" not in desks.ticket(ticket_id).tags
        assert "t-neu" in desks.twin(ticket_id).tags
        await goes_on(desks, ticket_id)
        assert "t-neu" in desks.twin(ticket_id).tags


async def test_a_refused_status_is_left_until_somebody_changes_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path, assigns_on_solve=False) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()
        assert len(await desks.made.store.refused()) == 1
        shown = desks.twin(ticket_id).status

        assert await ignore(desks, ticket_id) == "the status on the partner's desk"

        assert await desks.made.store.refused() == []
        assert (desks.ticket(ticket_id).status, desks.twin(ticket_id).status) == ("Closed", shown)
        await goes_on(desks, ticket_id)
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "With customer"


async def test_a_full_ticket_is_owed_no_comment_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CAPABILITIES", replace(CAPABILITIES, max_comments=3))
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>Frage dazu</p>", public=False)
        await desks.settle()
        for number in range(2):
            desks.write(ticket_id, f"<p>passt nicht {number}</p>", who=STAFF)
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "comment_limit"
        await ignore(desks, ticket_id)
        assert desks.heard(ticket_id, "passt nicht") == []
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        desks.write(ticket_id, who=STAFF, status="With customer")
        await desks.settle()
        assert desks.twin(ticket_id).status == "pending"


async def test_a_closed_ticket_at_the_platform_is_owed_nothing_any_more(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await is_closed_for_good(desks, ticket_id)
        await desks.answer(ticket_id, "<p>eine Antwort ins Leere</p>", public=False)
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "platform_ticket_final"
        left = await ignore(desks, ticket_id)
        assert "comment" in left
        assert "the status on the platform's desk" in left
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert desks.read(ticket_id, "eine Antwort ins Leere") == []
        assert desks.ticket(ticket_id).status == "Open"


async def is_closed_for_good(desks: BothDesks, ticket_id: str) -> None:
    """The platform's desk has no such end; another kind's may."""
    run = await desks.made.store.load_run((await desks.pair(ticket_id)).pair_id)
    assert run is not None
    shown = run.snapshots[Side.PLATFORM]
    assert shown is not None
    final = replace(shown.ticket, end=End.FINAL, fields_as_of=shown.ticket.fields_as_of + 1)
    await desks.made.store.record_sightings(
        HEROKU,
        [Sighting(ticket_id=shown.ticket.ticket_id, ticket=final)],
        side=Side.PLATFORM,
        seen_at=desks.clock.now(),
    )


# --- what a desk made of our write ---------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, kind: type[ZendeskConnector], change: Write) -> None:
    """Have a connector's next answer to a comment say something else."""
    ordinary = kind.write

    async def write(self: ZendeskConnector, intent: Intent) -> Answer:
        answer = await ordinary(self, intent)
        if isinstance(intent.op, UpdateTicket):
            monkeypatch.setattr(kind, "write", ordinary)
            return change(intent, answer)
        return answer

    monkeypatch.setattr(kind, "write", write)


@pytest.mark.parametrize(
    ("reason", "stored", "is_public"),
    [
        ("visibility_unknown", None, False),
        ("comment_not_public", Audience.SHARED, True),
    ],
)
async def test_a_comment_that_may_hide_or_show_is_left_as_the_desk_has_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    stored: Audience | None,
    is_public: bool,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        answering(
            monkeypatch, ZendeskConnector, lambda _, answer: replace(answer, stored=(stored,))
        )
        if is_public:
            desks.write(ticket_id, "<p>wer sieht das</p>")
        else:
            desks.write(
                ticket_id, "<p>wer sieht das</p>", who=STAFF, visibility="private", views=[LINK]
            )
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == reason
        assert reason in await ignore(desks, ticket_id)
        both_know(desks, ticket_id, "wer sieht das")
        await goes_on(desks, ticket_id)


async def test_a_comment_that_was_not_named_counts_as_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)

        def nameless(_: Intent, answer: Answer) -> Answer:
            return replace(answer, comment_ids=(), stored=())

        answering(monkeypatch, ZendeskConnector, nameless)
        desks.write(ticket_id, "<p>ohne Nummer</p>")
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "comment_without_id"
        await ignore(desks, ticket_id)
        both_know(desks, ticket_id, "ohne Nummer")
        await goes_on(desks, ticket_id)
        both_know(desks, ticket_id, "ohne Nummer")


async def test_a_tag_that_the_desk_does_not_keep_stays_on_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)

        def dropped(_: Intent, answer: Answer) -> Answer:
            ticket = answer.sighting.ticket
            assert ticket is not None
            desks.twin(ticket_id).values["tags"].remove("t-fremd")
            kept = replace(ticket, tags=ticket.tags - {"t-fremd"})
            return replace(answer, sighting=replace(answer.sighting, ticket=kept))

        answering(monkeypatch, ZendeskConnector, dropped)
        desks.write(ticket_id, who=STAFF, add_tags=["t-fremd"])
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "tag_refused"
        assert await ignore(desks, ticket_id) == "tags on the partner's desk"
        await goes_on(desks, ticket_id)
        assert "t-fremd" in desks.ticket(ticket_id).tags
        assert "t-fremd" not in desks.twin(ticket_id).tags


async def test_a_hand_off_without_effect_is_called_off_and_may_be_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        ordinary = PlatformConnector.write

        async def stays(self: PlatformConnector, intent: Intent) -> Answer:
            if isinstance(intent.op, UpdateTicket) and intent.op.leave_view:
                intent = replace(intent, op=replace(intent.op, leave_view=None))
            return await ordinary(self, intent)

        monkeypatch.setattr(PlatformConnector, "write", stays)
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", public=False)
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "hand_off_without_effect"
        assert await ignore(desks, ticket_id) == "the hand-off"
        assert LINK in desks.ticket(ticket_id).views
        monkeypatch.undo()
        await goes_on(desks, ticket_id)
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", public=False)
        await desks.settle()
        assert LINK not in desks.ticket(ticket_id).views


# --- lost writes ---------------------------------------------------------------------------------


async def test_of_a_lost_write_with_two_candidates_both_stay_and_nothing_echoes(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, metadata_readable=False) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "drop_after", kind="write")
        desks.arm(Side.PARTNER, "status", kind="read", status=503, times=8)
        desks.write(ticket_id, "<p>zweimal dasselbe</p>")
        await desks.poll()
        await desks.run_due()
        (copy,) = desks.heard(ticket_id, "zweimal dasselbe")
        twin = desks.twin(ticket_id)
        await desks.controls["acme"].put(
            f"/api/v2/tickets/{twin.id}.json",
            json={"ticket": {"comment": {"html_body": copy.html_body, "public": True}}},
        )
        desks.disarm()
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "ambiguous_write"

        left = await ignore(desks, ticket_id)

        assert left.startswith("comments ")
        assert len(desks.heard(ticket_id, "zweimal dasselbe")) == 2
        assert len(desks.read(ticket_id, "zweimal dasselbe")) == 1
        await goes_on(desks, ticket_id)
        assert len(desks.read(ticket_id, "zweimal dasselbe")) == 1


# --- what cannot be left, and one thing by its name ----------------------------------------------


async def test_what_cannot_be_left_says_what_to_do_instead(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        deleted, strange, by_hand, other = [await a_pair(desks) for _ in range(4)]
        await desks.agent_does(
            "acme", {"as": AGENT, "do": "delete", "ticket_id": desks.twin(deleted).id}
        )
        desks.ticket(strange).status = "Escalated"  # type: ignore[assignment]
        desks.write(strange, "<p>noch eine Frage</p>", who=STAFF)
        await desks.made.store.park(
            (await desks.pair(by_hand)).pair_id,
            Park(reason=BY_HAND, hint="Parked by a person."),
            actor="cli:test",
            reason="",
            now=desks.clock.now(),
        )
        await desks.settle()
        for ticket_id, word in ((deleted, "unlink"), (strange, "status:"), (by_hand, "retry")):
            proposal = await proposed(desks, ticket_id)
            assert proposal.ignored is None
            assert word in proposal.hint
        assert "not parked" in (await proposed(desks, other)).hint
        for name in ("comment:partner:1", "comment:nobody:1", "status:partner", "note:x", "nix"):
            assert (await proposed(desks, other, name)).ignored is None


async def test_a_held_comment_that_is_left_stays_and_those_behind_it_travel(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>")
        await desks.answer(ticket_id, "<p>und noch etwas</p>")
        await desks.settle()
        (held,) = [c for c in desks.twin(ticket_id).comments if "Reassign" in c.body][:1]
        assert desks.read(ticket_id, "und noch etwas") == []
        await ignore(desks, ticket_id, f"comment:partner:{held.id}")
        assert desks.read(ticket_id, "Reassign") == []
        assert len(desks.read(ticket_id, "und noch etwas")) == 1
        await goes_on(desks, ticket_id)


async def test_a_pair_that_has_moved_on_is_looked_at_anew(tmp_path: Path) -> None:
    async with both_desks(tmp_path, assigns_on_solve=False) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()
        proposal = await proposed(desks, ticket_id)
        assert proposal.ignored is not None
        desks.write(
            ticket_id, "<p>noch eine Frage</p>", who=STAFF, visibility="private", views=[LINK]
        )
        await desks.settle()
        pair_id, now = (await desks.pair(ticket_id)).pair_id, desks.clock.now()
        store = desks.made.store
        assert not await store.ignore(pair_id, proposal.ignored, actor="cli:test", now=now)
        assert await store.deeds() == []
