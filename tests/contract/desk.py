"""What the contract suite needs of a desk: its connector, its people, its faults, a look inside.

One small class per kind of desk stands on that desk's sandbox, over real HTTP on loopback.
A connector's author elsewhere writes one such class and has the whole suite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.sandbox import Sandbox
from connectors.sandbox.faults import Action
from syncd.core.mirror import merge_snapshot
from syncd.core.model import (
    Audience,
    CommentId,
    ConnectionName,
    LinkName,
    OpId,
    PairId,
    Person,
    Role,
    Side,
    Snapshot,
    TicketId,
)
from syncd.core.operations import CreateTicket, Draft, Intent, Operation, UpdateTicket
from syncd.core.stamp import stamp_for
from syncd.ports import Connector, Read
from tests.support.clock import FakeClock

LINK = LinkName("acme-postgres")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredComment:
    """A comment as the desk really holds it; `text` without markup."""

    comment_id: CommentId
    text: str
    is_public: bool
    #: Names and bytes, in order.
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A ticket as the desk really holds it, past any API."""

    subject: str
    status: str
    tags: frozenset[str]
    comments: tuple[StoredComment, ...]

    def count(self, text: str) -> int:
        """How many comments hold that text."""
        return sum(text in comment.text for comment in self.comments)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statuses:
    """Three of the desk's own values."""

    open: str
    waiting: str
    closed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One webhook as it arrived; header names in lower case."""

    headers: dict[str, str]
    body: bytes = field(repr=False)


class Desk(Protocol):
    """A desk under test. Acting and looking inside cost no API request and no quota."""

    @property
    def connector(self) -> Connector: ...

    @property
    def sandbox(self) -> Sandbox: ...

    @property
    def clock(self) -> FakeClock: ...

    @property
    def side(self) -> Side:
        """The side of a pair that this kind of desk can be."""
        ...

    @property
    def statuses(self) -> Statuses: ...

    @property
    def view(self) -> str | None:
        """The view that private comments of the link are written for; None on desks without."""
        ...

    @property
    def guards_comments(self) -> bool:
        """Whether a spent precondition refuses a comment, however late it arrives."""
        ...

    @property
    def gives_files_ahead(self) -> bool:
        """Whether a file is sent to the desk before the comment that takes it."""
        ...

    @property
    def requests_per_write(self) -> int:
        """The most requests that a write costs, one of which writes; the others read."""
        ...

    @property
    def ticket_path(self) -> str:
        """A regular expression that finds the paths of requests about tickets, and no others."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Every credential in use, none of which may ever show."""
        ...

    async def open_ticket(
        self, *, subject: str = "Database is slow", html: str = "<p>It is broken.</p>"
    ) -> TicketId:
        """A customer opens a ticket that the connector is to see."""
        ...

    async def answer(
        self,
        ticket_id: TicketId,
        html: str,
        *,
        is_public: bool = True,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> CommentId:
        """An agent comments; status and whole tag set change in the same update where given."""
        ...

    async def attach(
        self, ticket_id: TicketId, html: str, files: Sequence[tuple[str, bytes]]
    ) -> None:
        """An agent comments publicly with files, by name and bytes."""
        ...

    def arm_write(self, action: Action) -> None:
        """Have the desk's next write fail in that way."""
        ...

    async def change(
        self,
        ticket_id: TicketId,
        *,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> None:
        """An agent changes fields without a comment."""
        ...

    async def restrict(self, ticket_id: TicketId, comment_id: CommentId) -> None:
        """An agent makes a public comment private."""
        ...

    async def delete(self, ticket_id: TicketId) -> None:
        """An agent deletes the ticket."""
        ...

    def stored(self, ticket_id: TicketId) -> Stored:
        """Look inside."""
        ...

    def tickets(self, external_id: str) -> tuple[TicketId, ...]:
        """The tickets that carry our external id, past any API."""
        ...

    async def outlast(self) -> None:
        """Let so much time pass that nothing that left before can still land."""
        ...

    async def catch_up(self) -> None:
        """Let so much time pass that the change feed shows everything that happened."""
        ...

    def with_a_wrong_credential(self) -> Connector:
        """Another connector to the same desk, whose credential is refused; the caller closes it."""
        ...

    def unreachable(self) -> Connector:
        """Another connector, to an address where nobody listens; the caller closes it."""
        ...

    async def deliveries(self) -> Sequence[Delivery]:
        """The webhooks sent so far, those on their way included."""
        ...


async def look(desk: Desk, ticket_id: TicketId) -> Snapshot:
    """The ticket as the connector reads it whole, a few seconds after whatever happened."""
    desk.clock.advance(3)
    sighting = await desk.connector.fetch(ticket_id, Read.WHOLE)
    assert sighting is not None
    snapshot = merge_snapshot(None, sighting)
    assert snapshot is not None
    return snapshot


def a_draft(desk: Desk, html: str, audience: Audience = Audience.PUBLIC) -> Draft:
    """A comment to be written for the link."""
    view = desk.view if audience is Audience.SHARED else None
    return Draft(html=html, audience=audience, view=view, source_id=CommentId("source-1"))


def an_update(
    desk: Desk,
    ticket_id: TicketId,
    *,
    comment: Draft | None = None,
    status: str | None = None,
    add_tags: frozenset[str] = frozenset(),
    remove_tags: frozenset[str] = frozenset(),
    op_id: str = "0123456789abcdef0123456789abcdef",
) -> UpdateTicket:
    return UpdateTicket(
        op_id=OpId(op_id),
        side=desk.side,
        ticket_id=ticket_id,
        comment=comment,
        status=status,
        add_tags=add_tags,
        remove_tags=remove_tags,
    )


def a_creation(
    desk: Desk,
    *comments: Draft,
    is_silent: bool = False,
    op_id: str = "fedcba9876543210fedcba9876543210",
) -> CreateTicket:
    return CreateTicket(
        op_id=OpId(op_id),
        side=desk.side,
        external_id=f"syncd:{LINK}:{op_id}",
        subject="Database is slow",
        status=desk.statuses.open,
        tags=frozenset({"urgent"}),
        requester=Person(person_id="c-1", name="Cora Customer", role=Role.CUSTOMER),
        comments=comments,
        is_silent=is_silent,
    )


def an_intent(desk: Desk, op: Operation, snapshot: Snapshot | None = None) -> Intent:
    """The journal's entry for an operation that was planned from `snapshot`."""
    comments = snapshot.comments if snapshot else ()
    known = frozenset(comment.comment_id for comment in comments)
    return Intent(
        op=op,
        pair_id=PairId(1),
        connection=ConnectionName(desk.connector.name),
        stamp=stamp_for(LINK, op.op_id),
        precondition=snapshot.ticket.precondition if snapshot else None,
        tags_before=snapshot.ticket.tags if snapshot else frozenset(),
        status_before=snapshot.ticket.status if snapshot else None,
        highest_comment_id=comments[-1].comment_id if comments else None,
        known_ids=known,
        attempt=1,
        sent_at=desk.clock.now(),
    )
