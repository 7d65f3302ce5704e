"""A person's close or reopen on a real desk is undone by three rules only, each with its note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.platform.connector import PlatformConnector
from connectors.zendesk.connector import ZendeskConnector
from syncd.core.model import Side
from syncd.core.operations import Answer, Intent
from tests.engine.both_desks import CUSTOMER, STAFF, VIEWS, BothDesks, both_desks, both_know

GUARDED = "waiting for the customer instead of being closed"
LOST = "Both sides changed the status at the same time"
UNREAD = "The customer had written before this status was set"
KEPT_OPEN = "This ticket was set back to open"
HANDED = "This ticket is now with Heroku"
RULES = (GUARDED, UNREAD, LOST, KEPT_OPEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """One update by a person at one desk."""

    side: Side
    status: str | None = None
    html: str | None = None
    is_public: bool = True
    who: str = STAFF


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What happened before, what people did at once, and what must come of it."""

    name: str
    deeds: tuple[Deed, ...]
    platform: str
    partner: str
    before: tuple[Deed, ...] = ()
    #: The rule that undid something, and on which desk the person who lost is told.
    rule: str = ""
    told: Side | None = None
    link: str = ""


PLATFORM, PARTNER = Side.PLATFORM, Side.PARTNER
HAND_OFF = Deed(side=PARTNER, html="<p>Reassign to Heroku</p>", is_public=False)
SOLVED = Deed(side=PARTNER, status="solved")
CLOSED = Deed(side=PLATFORM, status="Closed")
ASKED = Deed(side=PLATFORM, html="<p>doch noch was</p>", who=CUSTOMER)

CASES = (
    Case(name="an agent closes", deeds=(SOLVED,), platform="Closed", partner="solved"),
    Case(name="staff close", deeds=(CLOSED,), platform="Closed", partner="solved"),
    Case(
        name="an agent reopens",
        before=(SOLVED,),
        deeds=(Deed(side=PARTNER, status="open"),),
        platform="Open",
        partner="open",
    ),
    Case(
        name="staff reopen what the agent closed",
        before=(SOLVED,),
        deeds=(Deed(side=PLATFORM, status="Open"),),
        platform="Open",
        partner="open",
    ),
    Case(
        name="an agent closes with a private comment",
        deeds=(Deed(side=PARTNER, status="solved", html="<p>war nichts</p>", is_public=False),),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="the customer writes after the close",
        before=(SOLVED,),
        deeds=(Deed(side=PLATFORM, html="<p>doch noch was</p>", who=CUSTOMER, status="Open"),),
        platform="Open",
        partner="open",
    ),
    Case(
        name="an agent closes with an answer",
        deeds=(Deed(side=PARTNER, status="solved", html="<p>bitte sehr</p>"),),
        platform="With customer",
        partner="pending",
        rule=GUARDED,
        told=PARTNER,
    ),
    Case(
        name="staff close with an answer",
        deeds=(Deed(side=PLATFORM, status="Closed", html="<p>bitte sehr</p>"),),
        platform="With customer",
        partner="pending",
        rule=GUARDED,
        told=PLATFORM,
    ),
    Case(
        name="without the guard an answer may close",
        deeds=(Deed(side=PARTNER, status="solved", html="<p>bitte sehr</p>"),),
        platform="Closed",
        partner="solved",
        link="close_guard: false",
    ),
    Case(
        name="a later close without an answer passes the guard",
        before=(Deed(side=PARTNER, status="solved", html="<p>bitte sehr</p>"),),
        deeds=(SOLVED,),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="an agent closes while staff wait for the customer",
        deeds=(SOLVED, Deed(side=PLATFORM, status="With customer")),
        platform="With customer",
        partner="pending",
        rule=LOST,
        told=PARTNER,
    ),
    Case(
        name="the partner's word counts, where the link says so",
        deeds=(SOLVED, Deed(side=PLATFORM, status="With customer")),
        platform="Closed",
        partner="solved",
        rule=LOST,
        told=PLATFORM,
        link="conflicts: {status: partner}",
    ),
    Case(
        name="an agent closes before the customer's message has come",
        deeds=(ASKED, SOLVED),
        platform="Open",
        partner="open",
        rule=UNREAD,
        told=PARTNER,
    ),
    Case(
        name="an agent closes, having read the customer's message",
        before=(ASKED,),
        deeds=(SOLVED,),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="an agent insists after the customer's message has come",
        before=(ASKED, SOLVED),
        deeds=(SOLVED,),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="an agent waits for the customer, whose message has not come yet",
        deeds=(ASKED, Deed(side=PARTNER, status="pending", html="<p>bitte sehr</p>")),
        platform="Open",
        partner="open",
        rule=UNREAD,
        told=PARTNER,
    ),
    Case(
        name="an agent answers and closes before the customer's message has come",
        deeds=(Deed(side=PARTNER, status="solved", html="<p>bitte sehr</p>"), ASKED),
        platform="Open",
        partner="open",
        rule=UNREAD,
        told=PARTNER,
    ),
    Case(
        name="the customer's message opens what waited, while an agent closes",
        deeds=(
            Deed(side=PLATFORM, status="With customer"),
            SOLVED,
            replace(ASKED, status="Open"),
        ),
        platform="Open",
        partner="open",
        rule=UNREAD,
        told=PARTNER,
    ),
    Case(
        name="the partner's word does not count before the message has come either",
        deeds=(ASKED, SOLVED),
        platform="Open",
        partner="open",
        rule=UNREAD,
        told=PARTNER,
        link="conflicts: {status: partner}",
    ),
    Case(
        name="staff close before the agent's answer has come",
        deeds=(Deed(side=PARTNER, html="<p>bitte sehr</p>"), CLOSED),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="an agent closes before a word of staff's has come",
        deeds=(Deed(side=PLATFORM, html="<p>von uns</p>"), SOLVED),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="without the guard a message that has not come changes nothing",
        deeds=(ASKED, SOLVED),
        platform="Closed",
        partner="solved",
        link="close_guard: false",
    ),
    Case(
        name="both close",
        deeds=(SOLVED, CLOSED),
        platform="Closed",
        partner="solved",
    ),
    Case(
        name="an agent closes what is with the platform",
        before=(HAND_OFF,),
        deeds=(SOLVED,),
        platform="Open",
        partner="open",
        rule=KEPT_OPEN,
        told=PARTNER,
    ),
    Case(
        name="an agent insists",
        before=(HAND_OFF, SOLVED),
        deeds=(SOLVED,),
        platform="Open",
        partner="solved",
    ),
    Case(
        name="staff close what they were handed",
        before=(HAND_OFF,),
        deeds=(CLOSED,),
        platform="Closed",
        partner="solved",
    ),
)


async def act(desks: BothDesks, ticket_id: str, deeds: Sequence[Deed]) -> None:
    for deed in deeds:
        if deed.side is PARTNER:
            members = {} if deed.status is None else {"status": deed.status}
            await desks.answer(ticket_id, deed.html, public=deed.is_public, **members)
        else:
            visibility = "public" if deed.is_public else "private"
            members = {} if deed.status is None else {"status": deed.status}
            desks.write(ticket_id, deed.html, who=deed.who, visibility=visibility, **members)


def notes(desks: BothDesks, ticket_id: str, side: Side) -> list[str]:
    """The rules of which people on a desk have been told, in order."""
    if side is PARTNER:
        said = [comment.body for comment in desks.twin(ticket_id).comments if not comment.is_public]
    else:
        updates = desks.ticket(ticket_id).updates
        said = [u.comment.body_html for u in updates if u.comment is not None]
    return [rule for text in said for rule in RULES if rule in text]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_close_or_reopen_is_undone_by_three_rules_only(tmp_path: Path, case: Case) -> None:
    async with both_desks(tmp_path, link=case.link) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        for deed in case.before:
            await act(desks, ticket_id, [deed])
            await desks.settle()
        desks.said.clear()
        before = {side: notes(desks, ticket_id, side) for side in Side}

        await act(desks, ticket_id, case.deeds)
        await desks.settle()

        shown = desks.ticket(ticket_id).status, desks.twin(ticket_id).status
        assert shown == (case.platform, case.partner)
        for side in Side:
            new = notes(desks, ticket_id, side)[len(before[side]) :]
            assert new == ([case.rule] if side is case.told else []), side
        # And it stays so.
        written = desks.writes()
        await desks.settle()
        assert desks.writes() == written


@pytest.mark.parametrize(("seconds", "ends"), [(5, "open"), (0, "open"), (-5, "solved")])
async def test_a_close_in_the_moment_before_the_customers_message_comes_leaves_the_ticket_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, ends: str
) -> None:
    """`seconds` lie between the agent's close and the copy, which syncd has sent by then."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        ordinary = ZendeskConnector.write

        async def close() -> None:
            monkeypatch.undo()
            await desks.answer(ticket_id, status="solved")

        async def crossed(self: ZendeskConnector, intent: Intent) -> Answer:
            if seconds < 0:
                answer = await ordinary(self, intent)
                desks.clock.advance(-seconds)
                await close()
                return answer
            await close()
            desks.clock.advance(seconds)
            return await ordinary(self, intent)

        monkeypatch.setattr(ZendeskConnector, "write", crossed)
        await act(desks, ticket_id, [ASKED])
        await desks.settle()

        both_know(desks, ticket_id, "doch noch was")
        assert desks.twin(ticket_id).status == ends
        assert desks.ticket(ticket_id).status == ("Open" if ends == "open" else "Closed")
        assert notes(desks, ticket_id, PARTNER) == ([UNREAD] if ends == "open" else [])


async def test_a_message_that_comes_before_the_agents_close_is_written_leaves_the_ticket_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        ordinary = PlatformConnector.write

        async def crossed(self: PlatformConnector, intent: Intent) -> Answer:
            monkeypatch.undo()
            await act(desks, ticket_id, [ASKED])
            return await ordinary(self, intent)

        monkeypatch.setattr(PlatformConnector, "write", crossed)
        await act(desks, ticket_id, [SOLVED])
        await desks.settle()

        both_know(desks, ticket_id, "doch noch was")
        assert (desks.ticket(ticket_id).status, desks.twin(ticket_id).status) == ("Open", "open")
        assert notes(desks, ticket_id, PARTNER) == [UNREAD]


async def test_what_two_partners_share_is_closed_when_staff_close_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["globex"])
        await desks.settle()

        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()

        assert desks.ticket(ticket_id).status == "Closed"
        assert [desks.twin(ticket_id, name).status for name in ("acme", "globex")] == ["solved"] * 2
        assert sum(u.status is not None for u in desks.ticket(ticket_id).updates) == 2
