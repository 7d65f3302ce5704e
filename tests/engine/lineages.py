"""Deeds and looks of the tests about tickets that end: who goes on, and what stands where."""

from __future__ import annotations

from typing import Any

from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.core.model import Side
from tests.engine.both_desks import AGENT, STAFF, VIEWS, BothDesks

PRIVATE: dict[str, Any] = {"who": STAFF, "visibility": "private", "views": [VIEWS["acme"]]}


async def newest(desks: BothDesks, ticket_id: str) -> PartnerTicket:
    """The partner's ticket that the pair works on now."""
    number = (await desks.pair(ticket_id)).tickets[Side.PARTNER]
    assert number is not None
    return partner_ticket(desks, int(number))


def partner_ticket(desks: BothDesks, number: int) -> PartnerTicket:
    """A ticket of the partner's by its number."""
    return desks.partners["acme"].desk.account.tickets[number]


def bodies(ticket: PartnerTicket) -> list[str]:
    """What stands in a ticket of the partner's, oldest first."""
    return [comment.body for comment in ticket.comments]


def follow_ups(desks: BothDesks, ticket: PartnerTicket) -> list[PartnerTicket]:
    """The tickets that go on from a closed one."""
    return [partner_ticket(desks, number) for number in ticket.followup_ids]


def said_at_platform(desks: BothDesks, ticket_id: str, words: str) -> int:
    """How many comments of the platform's ticket hold these words."""
    return len(desks.read(ticket_id, words))


async def a_pair(desks: BothDesks, html: str = "<p>woran es liegt</p>", **members: Any) -> str:
    """A ticket that was escalated and has its twin."""
    ticket_id = desks.open_ticket(html, **members)
    await desks.settle()
    return ticket_id


async def a_closed_pair(desks: BothDesks) -> str:
    """A pair that was solved and whose partner's ticket Zendesk has closed for good."""
    ticket_id = await a_pair(desks)
    await desks.answer(ticket_id, status="solved")
    await desks.settle()
    await desks.answer(ticket_id, status="closed")
    await desks.settle()
    return ticket_id


async def do(desks: BothDesks, deed: str, ticket: PartnerTicket, **members: Any) -> int:
    """An agent does something to a whole ticket; the number of the ticket that it shows."""
    shown = await desks.agent_does(
        "acme", {"as": AGENT, "do": deed, "ticket_id": ticket.id, **members}
    )
    return int(shown["ticket"]["id"])


async def a_stranger(desks: BothDesks, text: str, *, requester_id: int | None = None) -> int:
    """A ticket of the partner's own, that is in no pair: of somebody else, or of that person."""
    desks.said.append(text)
    members: dict[str, Any] = {"subject": "etwas ganz anderes", "comment": {"text": text}}
    if requester_id is None:
        members["requester"] = {"name": "Somebody Else", "email": "else@globex.test"}
    else:
        members["requester_id"] = requester_id
    shown = await desks.agent_does("acme", {"as": AGENT, "do": "create", **members})
    return int(shown["ticket"]["id"])
