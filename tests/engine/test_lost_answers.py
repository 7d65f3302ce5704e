"""Whatever write loses its answer, on whichever desk: it is found, and stands there once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox import Release
from syncd.core.model import Side
from syncd.core.work import PairState
from syncd.engine.backfill import Backfill
from tests.engine.both_desks import LINK, STAFF, BothDesks, both_desks, both_know

Deed = Callable[[BothDesks, str], Awaitable[None]]
Check = Callable[[BothDesks, str], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind of write: what people do before, what makes syncd owe it, what must follow."""

    side: Side
    deed: Deed
    check: Check
    before: Deed | None = None
    #: Which request it is.
    path: str = ""


async def nothing(desks: BothDesks, ticket_id: str) -> None:
    """For a creation the escalation itself is the deed."""


async def customer_writes(desks: BothDesks, ticket_id: str) -> None:
    desks.write(ticket_id, "<p>noch eine Frage</p>")


async def staff_write_and_close(desks: BothDesks, ticket_id: str) -> None:
    desks.write(
        ticket_id, "<p>nur unter uns</p>", who=STAFF, visibility="private", views=["acme-postgres"]
    )
    desks.write(ticket_id, who=STAFF, status="Closed", add_tags=["t-neu"])


async def staff_change_fields(desks: BothDesks, ticket_id: str) -> None:
    desks.write(ticket_id, who=STAFF, status="With customer", add_tags=["t-neu", "fremd"])


async def agent_answers(desks: BothDesks, ticket_id: str) -> None:
    await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")


async def agent_changes_fields(desks: BothDesks, ticket_id: str) -> None:
    await desks.answer(ticket_id, status="pending", add_tags=["t-neu"])


async def agent_hands_off(desks: BothDesks, ticket_id: str) -> None:
    html = "<p>das ist euer Teil</p><p>Reassign to Heroku</p>"
    await desks.answer(ticket_id, html, public=False, status="pending")


async def agent_makes_private(desks: BothDesks, ticket_id: str) -> None:
    (comment,) = desks.heard(ticket_id, "eine gute Antwort")
    number = desks.twin(ticket_id).id
    deed = {"as": "alice@acme.test", "do": "make_private", "ticket_id": number}
    await desks.agent_does("acme", deed | {"comment_id": comment.id})


def is_born(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "woran es liegt")
    assert len(desks.twins(ticket_id)) == 1
    assert len(desks.twin(ticket_id).comments) == 2


def is_asked(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "noch eine Frage")
    assert len(desks.twin(ticket_id).comments) == 3


def is_closed(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "nur unter uns")
    assert not desks.heard(ticket_id, "nur unter uns")[0].is_public
    assert desks.twin(ticket_id).status == "solved"
    assert "t-neu" in desks.twin(ticket_id).tags


def is_waiting(desks: BothDesks, ticket_id: str) -> None:
    assert desks.twin(ticket_id).status == "pending"
    assert desks.ticket(ticket_id).status == "With customer"
    assert "t-neu" in desks.twin(ticket_id).tags
    assert "t-neu" in desks.ticket(ticket_id).tags
    assert "fremd" not in desks.twin(ticket_id).tags


def is_answered(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "eine gute Antwort")
    assert desks.ticket(ticket_id).status == "With customer"


def is_handed(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "das ist euer Teil")
    assert desks.ticket(ticket_id).views == []
    assert desks.ticket(ticket_id).status == "Open"
    assert desks.twin(ticket_id).status == "open"
    assert "with-platform" in desks.twin(ticket_id).tags
    both_know(desks, ticket_id, "is now with")


def is_told(desks: BothDesks, ticket_id: str) -> None:
    """The platform cannot take a comment back: a private note says so there."""
    both_know(desks, ticket_id, "eine gute Antwort")
    assert len(desks.read(ticket_id, "made private")) == 1


CASES = {
    "birth": Case(side=Side.PARTNER, deed=nothing, check=is_born, path="/tickets$"),
    "context note": Case(side=Side.PARTNER, deed=nothing, check=is_born, path=r"/tickets/\d+$"),
    "copy to the partner": Case(side=Side.PARTNER, deed=customer_writes, check=is_asked),
    "note with fields": Case(side=Side.PARTNER, deed=staff_write_and_close, check=is_closed),
    "fields at the partner": Case(side=Side.PARTNER, deed=staff_change_fields, check=is_waiting),
    "copy to the platform": Case(side=Side.PLATFORM, deed=agent_answers, check=is_answered),
    "fields at the platform": Case(side=Side.PLATFORM, deed=agent_changes_fields, check=is_waiting),
    "hand-off": Case(side=Side.PLATFORM, deed=agent_hands_off, check=is_handed),
    "confirmation": Case(side=Side.PARTNER, deed=agent_hands_off, check=is_handed),
    "note to the platform": Case(
        side=Side.PLATFORM, before=agent_answers, deed=agent_makes_private, check=is_told
    ),
}
LOSSES = ("drop_before", "drop_after", "503 before", "503 after", "truncate")


async def prepared(desks: BothDesks, case: Case) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    if case.deed is nothing:
        return ticket_id
    await desks.settle()
    if case.before is not None:
        await case.before(desks, ticket_id)
        await desks.settle()
    await case.deed(desks, ticket_id)
    return ticket_id


def lose(desks: BothDesks, case: Case, loss: str) -> None:
    action = "status" if loss.startswith("503") else loss
    is_applied = loss == "503 after"
    desks.arm(case.side, action, kind="write", path=case.path, status=503, is_applied=is_applied)


async def is_well(desks: BothDesks, ticket_id: str, case: Case) -> None:
    pair = await desks.pair(ticket_id)
    assert pair.state is PairState.ACTIVE, pair
    case.check(desks, ticket_id)
    run = await desks.made.store.load_run(pair.pair_id)
    assert run is not None
    assert run.sent == ()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_write_whose_answer_is_lost_stands_there_once(
    tmp_path: Path, case: Case, loss: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await prepared(desks, case)
        lose(desks, case, loss)
        await desks.settle()
        assert [e["side"] for e in desks.events("op.unknown")] == [case.side.value]
        await is_well(desks, ticket_id, case)


@pytest.mark.parametrize("loss", ["drop_before", "drop_after"])
@pytest.mark.parametrize(
    "case",
    [c for c in CASES.values() if c.side is Side.PARTNER],
    ids=[name for name, c in CASES.items() if c.side is Side.PARTNER],
)
async def test_it_is_found_without_readable_stamps_too(
    tmp_path: Path, case: Case, loss: str
) -> None:
    async with both_desks(tmp_path, metadata_readable=False) as desks:
        ticket_id = await prepared(desks, case)
        lose(desks, case, loss)
        await desks.settle()
        await is_well(desks, ticket_id, case)


async def test_what_got_through_between_lost_answers_keeps_the_pauses_short(
    tmp_path: Path,
) -> None:
    """Else a desk that loses one answer in two gets a day's comments a few in five minutes."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        for number in range(8):
            desks.write(ticket_id, f"<p>Frage {number}</p>")
        for lost in range(1, 5):
            desks.arm(Side.PARTNER, "drop_after", kind="write", skip=1)
            while len(desks.events("op.unknown")) < lost:
                await desks.round()
            assert (await desks.pair(ticket_id)).tries == 1
        await desks.settle()
        assert len(desks.events("op.unknown")) == 4
        both_know(desks, ticket_id, "Frage 7")
        assert len(desks.twin(ticket_id).comments) == 2 + 8


async def test_comments_of_one_second_need_no_looking_for_without_readable_stamps(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, metadata_readable=False) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        for number in range(8):
            desks.write(ticket_id, f"<p>Frage {number}</p>")
        await desks.round()
        assert desks.events("op.unknown") == []
        assert len(desks.twin(ticket_id).comments) == 2 + 8


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_write_that_lands_long_after_its_sender_gave_up_stands_there_once(
    tmp_path: Path, case: Case, rounds: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await prepared(desks, case)
        lose(desks, case, "land_late")
        while not desks.events("op.unknown"):
            await desks.round()
        for _ in range(rounds):
            await desks.round()
        desks.desk(case.side).held.release(Release())
        await desks.settle()
        await is_well(desks, ticket_id, case)


@pytest.mark.parametrize("loss", LOSSES)
async def test_an_import_whose_answer_is_lost_makes_one_twin(tmp_path: Path, loss: str) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        case = Case(side=Side.PARTNER, deed=nothing, check=is_asked)
        lose(desks, case, loss)
        await backfilled(desks)
        await desks.settle()
        await is_well(desks, ticket_id, case)
        assert len(desks.twins(ticket_id)) == 1
        assert desks.partners["acme"].desk.account.notifications == []


async def backfilled(desks: BothDesks) -> None:
    """One backfill of the link, as the command runs it."""
    link = desks.made.links.find(LINK)
    assert link is not None
    backfill = Backfill(
        link,
        store=desks.made.store,
        intake=desks.made.intake,
        reconciler=desks.made.reconciler,
        clock=desks.clock,
    )
    await backfill.run(since=None, progress=lambda _: None)


@pytest.mark.parametrize("is_readable", [True, False], ids=["stamps", "no stamps"])
async def test_what_a_person_puts_back_after_a_lost_change_of_fields_stays(
    tmp_path: Path, is_readable: bool
) -> None:
    """The write landed, and a person undid it: as it was before, and a change all the same."""
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        await desks.answer(ticket_id, status="open", add_tags=["t-alt"])
        await desks.settle()
        desks.write(
            ticket_id, who=STAFF, status="Closed", add_tags=["t-neu"], remove_tags=["t-alt"]
        )
        desks.arm(Side.PARTNER, "drop_after", kind="write")
        before = len(desks.events("op.unknown"))
        while len(desks.events("op.unknown")) == before:
            await desks.round()
        assert desks.twin(ticket_id).status == "solved"
        await desks.answer(ticket_id, status="open", remove_tags=["t-neu"], add_tags=["t-alt"])
        await desks.settle()

        assert (desks.twin(ticket_id).status, desks.ticket(ticket_id).status) == ("open", "Open")
        for tags in (desks.twin(ticket_id).tags, desks.ticket(ticket_id).tags):
            assert ("t-alt" in tags, "t-neu" in tags) == (True, False)
        assert await desks.made.store.conflicts(limit=10) == []
