"""Every kind of work that syncd does, for the matrix: what people do, and how syncd gets to it.

A new kind is a row in `KINDS`; the matrix finds its fuse points by itself, and a test says which
operations of the core are in none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.platform.sandbox.seed import add_person
from syncd.core.model import Audience, CommentId, Sighting, TicketId
from tests.engine.backfilling import backfilled, miss
from tests.engine.both_desks import AGENT, CUSTOMER, HEROKU, STAFF, VIEWS, BothDesks
from tests.engine.catching_up import MANY, born, catch_up, change, go_missing
from tests.engine.lineages import PRIVATE, a_closed_pair, a_pair, a_stranger, do
from tests.engine.sending_files import a_file
from tests.engine.test_new_ticket_fields import PLACE

Tickets = list[str]
#: Before the fuses are in; the tickets that it is about.
Before = Callable[[BothDesks], Awaitable[Tickets]]
#: What people do then; the tickets that it made.
Deed = Callable[[BothDesks, Tickets], Awaitable[Tickets]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row of the matrix."""

    deed: Deed
    before: Before | None = None
    #: What is asked of syncd, again after a death; by default that it runs.
    is_backfill: bool = False
    is_notifying: bool = False
    #: The partner's desk was away until now, and the daemon's own workers catch up with it.
    is_catching_up: bool = False
    #: A request that it is about: one that an undisturbed life makes.
    sends: str = ""
    #: False for what the documents do not promise: an import that lands long after its sender died.
    may_be_late: bool = True
    #: Several pairs at a time: commits that fall together are one, and lives differ in points.
    is_abreast: bool = False
    #: A life takes long: of the points that find the same, only the first is burnt.
    is_long: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    async def work(self, desks: BothDesks) -> None:
        """Have syncd do it, up to the first look that finds nothing more to do."""
        if self.is_backfill:
            await backfilled(desks, notify=self.is_notifying)
        if self.is_catching_up:
            await go_missing(desks)
            await catch_up(desks)
        while await desks.round() or await desks.made.store.load_due(desks.clock.now()):
            pass


async def one_pair(desks: BothDesks) -> Tickets:
    return [await a_pair(desks)]


async def many_pairs(desks: BothDesks) -> Tickets:
    return await born(desks, 8)


async def an_answered_pair(desks: BothDesks) -> Tickets:
    ticket_id = await a_pair(desks)
    await desks.answer(ticket_id, "<p>eine gute Antwort</p>")
    await desks.settle()
    return [ticket_id]


async def an_asked_pair(desks: BothDesks) -> Tickets:
    ticket_id = await a_pair(desks)
    desks.write(ticket_id, "<p>mein Kennwort lautet so</p>")
    await desks.settle()
    return [ticket_id]


async def a_handed_pair(desks: BothDesks) -> Tickets:
    tickets = await one_pair(desks)
    await hand_off(desks, tickets)
    await desks.settle()
    return tickets


async def a_finished_pair(desks: BothDesks) -> Tickets:
    return [await a_closed_pair(desks)]


async def a_pair_beside_another(desks: BothDesks) -> Tickets:
    ticket_id = await a_pair(desks)
    requester_id = desks.twin(ticket_id).values["requester_id"]
    target = await a_stranger(desks, "altes Gespräch davor", requester_id=requester_id)
    await desks.settle()
    return [ticket_id, str(target)]


async def missed_private_word(desks: BothDesks) -> Tickets:
    """The same with a word that nobody outside will ever see."""
    ticket_id = await a_pair(desks)
    desks.write(ticket_id, "<p>gesagt, als niemand da war</p>", **PRIVATE)
    await miss(desks)
    return [ticket_id]


async def missed_question(desks: BothDesks) -> Tickets:
    """A pair that history has overtaken: nobody told the daemon of the last question."""
    ticket_id = await a_pair(desks)
    desks.write(ticket_id, "<p>gefragt, als niemand da war</p>")
    await miss(desks)
    return [ticket_id]


# --- deeds ---------------------------------------------------------------------------------------


async def birth(desks: BothDesks, tickets: Tickets) -> Tickets:
    return [desks.open_ticket("<p>woran es liegt</p>", tags=["t-alt"])]


async def birth_with_history(desks: BothDesks, tickets: Tickets) -> Tickets:
    ticket_id = desks.open_ticket("<p>Satz eins</p>", view=None)
    for number in ("zwei", "drei", "vier"):
        desks.write(ticket_id, f"<p>Satz {number}</p>", who=STAFF)
    desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["acme"])
    return [ticket_id]


async def birth_with_file(desks: BothDesks, tickets: Tickets) -> Tickets:
    return [desks.open_ticket("<p>von Anfang an</p>", attachments=[a_file("eins.txt")])]


async def comment_to_partner(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.write(tickets[0], "<p>noch eine Frage</p>")
    return tickets


async def comment_to_platform(desks: BothDesks, tickets: Tickets) -> Tickets:
    await desks.answer(tickets[0], "<p>eine gute Antwort</p>", status="pending")
    return tickets


async def comments_both_ways(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.write(tickets[0], "<p>die erste Frage</p>")
    desks.write(tickets[0], "<p>die zweite Frage</p>")
    await desks.answer(tickets[0], "<p>die Antwort dazwischen</p>")
    return tickets


async def long_comment(desks: BothDesks, tickets: Tickets) -> Tickets:
    paragraphs = "".join(f"<p>{number} {'sehr lang ' * 90}</p>" for number in range(70))
    desks.write(tickets[0], paragraphs)
    return tickets


async def private_comment_and_close(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.write(tickets[0], "<p>nur unter uns</p>", **PRIVATE)
    desks.write(tickets[0], who=STAFF, status="Closed", add_tags=["t-neu"])
    return tickets


async def fields_at_partner(desks: BothDesks, tickets: Tickets) -> Tickets:
    tags: dict[str, Any] = {"add_tags": ["t-neu", "fremd"], "remove_tags": ["t-alt"]}
    desks.write(tickets[0], who=STAFF, status="With customer", **tags)
    return tickets


async def fields_at_platform(desks: BothDesks, tickets: Tickets) -> Tickets:
    await desks.answer(tickets[0], status="pending", add_tags=["t-neu"], remove_tags=["t-alt"])
    return tickets


async def statuses_at_once(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.write(tickets[0], who=STAFF, status="Closed")
    await desks.answer(tickets[0], status="pending")
    return tickets


async def file_to_partner(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.said.append("<p>siehe die Datei</p>")
    comment = {"body_html": "<p>siehe die Datei</p>", "attachments": [a_file()]}
    desks.act(CUSTOMER, "update", ticket_id=tickets[0], comment=comment)
    return tickets


async def file_to_platform(desks: BothDesks, tickets: Tickets) -> Tickets:
    comment = {"html": "<p>siehe die Datei</p>", "public": True, "files": [a_file()]}
    desks.said.append("<p>siehe die Datei</p>")
    twin = desks.twin(tickets[0]).id
    await desks.agent_does("acme", {"as": AGENT, "ticket_id": twin, "comment": comment})
    return tickets


async def hand_off(desks: BothDesks, tickets: Tickets) -> Tickets:
    html = "<p>das ist euer Teil</p><p>Reassign to Heroku</p>"
    await desks.answer(tickets[0], html, public=False, status="pending")
    return tickets


async def escalate_again(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.act(STAFF, "escalate", ticket_id=tickets[0], view=VIEWS["acme"])
    return tickets


async def follow_up(desks: BothDesks, tickets: Tickets) -> Tickets:
    desks.write(tickets[0], "<p>es geht wieder nicht</p>", status="Open")
    desks.write(tickets[0], "<p>und noch ein Wort</p>")
    return tickets


async def merge(desks: BothDesks, tickets: Tickets) -> Tickets:
    await do(desks, "merge", desks.twin(tickets[0]), into=int(tickets[1]))
    return tickets[:1]


async def deletion(desks: BothDesks, tickets: Tickets) -> Tickets:
    await do(desks, "delete", desks.twin(tickets[0]))
    return tickets


async def redaction(desks: BothDesks, tickets: Tickets) -> Tickets:
    (comment,) = desks.heard(tickets[0], "gute Antwort")
    deed = {"comment_id": comment.id, "text": "gute"}
    await do(desks, "redact", desks.twin(tickets[0]), **deed)
    return tickets


async def made_private_at_partner(desks: BothDesks, tickets: Tickets) -> Tickets:
    (comment,) = desks.heard(tickets[0], "eine gute Antwort")
    await do(desks, "make_private", desks.twin(tickets[0]), comment_id=comment.id)
    return tickets


async def made_private_at_platform(desks: BothDesks, tickets: Tickets) -> Tickets:
    """No platform does so yet: what its connector would then say is said here."""
    (update,) = desks.read(tickets[0], "mein Kennwort")
    run = await desks.made.store.load_run((await desks.pair(tickets[0])).pair_id)
    assert run is not None
    shown = next(s for s in run.snapshots.values() if s and s.ticket.ticket_id == tickets[0])
    comment = next(c for c in shown.comments if c.comment_id == CommentId(update.id))
    narrower = replace(comment, audience=Audience.SHARED, views=frozenset({VIEWS["acme"]}))
    said = Sighting(ticket_id=TicketId(tickets[0]), comments=(narrower,))
    await desks.made.intake.take(HEROKU, (said,))
    desks.write(tickets[0], who=STAFF, add_tags=["t-neu"])
    return tickets


async def redacted_comment(desks: BothDesks, tickets: Tickets) -> Tickets:
    await desks.answer(tickets[0], "<p>eine gute Antwort</p>")
    return await redaction(desks, tickets)


async def old_ticket(desks: BothDesks, tickets: Tickets) -> Tickets:
    return await _histories(desks, 1)


async def old_tickets(desks: BothDesks, tickets: Tickets) -> Tickets:
    return await _histories(desks, 5)


async def _histories(desks: BothDesks, count: int) -> Tickets:
    tickets = []
    for _ in range(count):
        name = f"Kundin {len(desks.platform.platform.register.people)}"
        add_person(desks.platform.platform.register, name=name, role="customer")
        html = "<p>Satz eins der Reihe</p>"
        desks.said.append(html)
        opened = desks.act(
            name, "open", subject="Betreff ohne Belang", body_html=html, view=VIEWS["acme"]
        )
        tickets.append(str(opened["ticket"]["id"]))
        desks.clock.advance(60)
        desks.write(tickets[-1], "<p>Satz zwei der Reihe</p>", who=name)
    await miss(desks)
    return tickets


async def changes_of_many(desks: BothDesks, tickets: Tickets) -> Tickets:
    change(desks, tickets)
    return tickets


async def nothing_more(desks: BothDesks, tickets: Tickets) -> Tickets:
    return tickets


KINDS: dict[str, Kind] = {
    "create ticket": Kind(deed=birth),
    "create ticket, older comments as a digest": Kind(
        deed=birth_with_history, settings={"link": "history_limit: 1"}
    ),
    "create ticket with a file": Kind(deed=birth_with_file),
    "create ticket, true authors": Kind(
        deed=birth,
        settings={"partner": f'authors: impersonate, agents: {{"{STAFF}": alice@acme.test}}'},
    ),
    "create ticket with fields": Kind(deed=birth, settings={"link": PLACE, "triggers": ()}),
    "add comment at the partner": Kind(before=one_pair, deed=comment_to_partner),
    "add comment at the platform": Kind(before=one_pair, deed=comment_to_platform),
    "add comments on both": Kind(before=one_pair, deed=comments_both_ways),
    "add comment in parts": Kind(before=one_pair, deed=long_comment),
    "add private comment, with fields": Kind(before=one_pair, deed=private_comment_and_close),
    "set fields at the partner": Kind(before=one_pair, deed=fields_at_partner),
    "set fields at the platform": Kind(before=one_pair, deed=fields_at_platform),
    "conflict note": Kind(before=one_pair, deed=statuses_at_once),
    "upload to the partner": Kind(before=one_pair, deed=file_to_partner),
    "upload to the platform": Kind(before=one_pair, deed=file_to_platform),
    "upload that follows its comment": Kind(
        before=one_pair, deed=file_to_platform, settings={"scan_seconds": 400.0}
    ),
    "hand-off": Kind(before=one_pair, deed=hand_off),
    "hand-off, its words at home": Kind(
        before=one_pair, deed=hand_off, settings={"link": "comments: {private: to_partner}"}
    ),
    "hand-off returned": Kind(before=a_handed_pair, deed=escalate_again),
    "follow-up": Kind(before=a_finished_pair, deed=follow_up),
    "merge followed": Kind(before=a_pair_beside_another, deed=merge),
    "deletion told": Kind(before=one_pair, deed=deletion),
    "redaction told": Kind(before=an_answered_pair, deed=redaction),
    "redacted before it travels": Kind(before=one_pair, deed=redacted_comment),
    "comment made private, told": Kind(before=an_answered_pair, deed=made_private_at_partner),
    "comment made private": Kind(before=an_asked_pair, deed=made_private_at_platform),
    "import": Kind(deed=old_ticket, is_backfill=True, may_be_late=False),
    "bulk rows": Kind(
        deed=old_tickets,
        is_backfill=True,
        may_be_late=False,
        is_abreast=True,
        settings={"allows_bulk_users": True},
    ),
    "bulk update after an outage": Kind(
        before=many_pairs,
        deed=changes_of_many,
        is_catching_up=True,
        is_abreast=True,
        is_long=True,
        sends=MANY,
    ),
    "backfill of a pair": Kind(before=missed_private_word, deed=nothing_more, is_backfill=True),
    "backfill of a pair, with public comments": Kind(
        before=missed_question, deed=nothing_more, is_backfill=True, is_notifying=True
    ),
}
