"""What the platform holds, and the one way to change it: an update under the platform's rules.

`commit` is the only way to change a ticket; it is atomic because nothing in it waits.
Who may ask for what is decided by the callers: `api` for tokens, `act` for people.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from connectors.platform.sandbox.model import (
    Delta,
    Intent,
    Mail,
    Person,
    Status,
    Step,
    Ticket,
    Token,
    Update,
    Used,
)
from connectors.platform.sandbox.stored_files import StoredFiles
from connectors.sandbox import SandboxTime

FIRST_NUMBER = 1_198_847


@dataclass(kw_only=True, slots=True)
class Register:
    """Everything the platform knows. One thread, no waiting inside any method."""

    time: SandboxTime = field(default_factory=SandboxTime)
    seed: int = 0
    views: set[str] = field(default_factory=set)
    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    files: StoredFiles = field(default_factory=StoredFiles)
    # Every update of every ticket in commit order; the one at index n - 1 has position n.
    feed: list[Update] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    # Told after each commit, in the same turn of the event loop.
    listeners: list[Callable[[Update], None]] = field(default_factory=list)
    _random: random.Random = field(init=False)
    _next_number: int = FIRST_NUMBER
    _last_at: datetime | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable ids, nothing secret

    def token_by_secret(self, secret: str) -> Token | None:
        """The token with that secret."""
        return next((token for token in self.tokens.values() if token.secret == secret), None)

    def person(self, name_or_id: str) -> Person | None:
        """Somebody known, by id or else by full name."""
        known = self.people.get(name_or_id)
        return known or next((p for p in self.people.values() if p.name == name_or_id), None)

    def new_id(self) -> str:
        """A UUID as the platform gives to its own updates and attachments."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def now_at(self) -> datetime:
        """The clock's time, never earlier than what was told before."""
        now_at = self.time.now_at()
        if self._last_at is not None:
            now_at = max(now_at, self._last_at)
        self._last_at = now_at
        return now_at

    def open(
        self, *, requester: Person, subject: str, metadata: dict[str, str], intent: Intent
    ) -> Ticket:
        """Make a ticket; its first update holds the subject, the status and the first comment."""
        at = self.now_at()
        number = self._next_number
        self._next_number += 1
        ticket = Ticket(
            id=_ticket_id(number),
            number=number,
            subject=subject,
            requester=requester,
            created_at=at,
            updated_at=at,
            metadata=dict(metadata),
            metadata_as_of=at if metadata else None,
        )
        self.tickets[ticket.id] = ticket
        first = Step(before=None, after=ticket.status)
        self._record(ticket, intent, None, status=first, subject=Step(before=None, after=subject))
        return ticket

    def commit(self, ticket: Ticket, intent: Intent, update_id: str | None = None) -> Update | None:
        """Apply what `intent` changes; None, and no version step, when that is nothing."""
        return self._record(
            ticket,
            intent,
            update_id,
            status=_status_step(ticket, intent),
            subject=_subject_step(ticket, intent),
        )

    def delete(self, ticket: Ticket) -> None:
        """Remove a ticket as if it never was; its changes leave the feed with it."""
        del self.tickets[ticket.id]

    def visible(self, token: Token, ticket_id: str) -> Ticket | None:
        """The ticket, if it is or ever was in one of the token's views."""
        ticket = self.tickets.get(ticket_id)
        return ticket if ticket is not None and ticket.seen_views & token.views else None

    def changes(self, token: Token, after: int, limit: int) -> tuple[list[Update], int, bool]:
        """Up to `limit` updates the token may know of, the position reached, and if more follow."""
        found: list[Update] = []
        for index in range(after, len(self.feed)):
            update = self.feed[index]
            if self.visible(token, update.ticket_id) is None:
                continue
            if len(found) == limit:
                return found, found[-1].position, True
            found.append(update)
        return found, len(self.feed), False

    def since_number(self, number: int) -> Iterator[Ticket]:
        """Tickets numbered above `number`, in the order of their creation."""
        first = max(number + 1, FIRST_NUMBER)
        for candidate in range(first, self._next_number):
            ticket = self.tickets.get(_ticket_id(candidate))
            if ticket is not None:
                yield ticket

    def _record(
        self,
        ticket: Ticket,
        intent: Intent,
        update_id: str | None,
        *,
        status: Step | None,
        subject: Step | None,
    ) -> Update | None:
        tags = _delta(ticket.tags, intent.add_tags, intent.remove_tags)
        views = _delta(ticket.views, intent.add_views, intent.remove_views)
        if not (intent.comment or status or subject or tags or views):
            return None
        update = Update(
            id=update_id or self.new_id(),
            ticket_id=ticket.id,
            position=len(self.feed) + 1,
            version=ticket.version + 1,
            actor=intent.actor,
            via=intent.via,
            at=self.now_at(),
            comment=intent.comment,
            status=status,
            tags=tags,
            views=views,
            subject=subject,
        )
        _advance(ticket, update)
        if update_id is None:
            # An id of the platform's own is taken for everybody else.
            ticket.used_ids[update.id] = Used(writer_id="", body="", update=update)
        self.feed.append(update)
        if intent.is_notifying:
            self._send_mails(ticket, update)
        for listener in self.listeners:
            listener(update)
        return update

    def _send_mails(self, ticket: Ticket, update: Update) -> None:
        comment = update.comment
        if (
            comment is not None
            and comment.visibility == "public"
            and comment.author.id != ticket.requester.id
        ):
            self._mail([ticket.requester], "comment", update)
        self._mail(self._members(update.views.added), "escalated", update)
        if update.actor.role == "customer":
            self._mail(self._members(ticket.views), "customer_update", update)

    def _members(self, views: Iterable[str]) -> list[Person]:
        wanted = set(views)
        return [p for p in self.people.values() if p.is_notified and p.views & wanted]

    def _mail(
        self,
        people: Iterable[Person],
        reason: Literal["comment", "escalated", "customer_update"],
        update: Update,
    ) -> None:
        for person in people:
            self.mails.append(
                Mail(
                    at=update.at,
                    to=person.id or person.name,
                    reason=reason,
                    ticket_id=update.ticket_id,
                    update_id=update.id,
                )
            )


def _ticket_id(number: int) -> str:
    return f"t{number}"


def _status_step(ticket: Ticket, intent: Intent) -> Step | None:
    wanted: Status | None = intent.status
    comment = intent.comment
    if (
        wanted is None
        and intent.actor.role == "customer"
        and comment is not None
        and comment.visibility == "public"
    ):
        wanted = "Open"
    if wanted is None or wanted == ticket.status:
        return None
    return Step(before=ticket.status, after=wanted)


def _subject_step(ticket: Ticket, intent: Intent) -> Step | None:
    if intent.subject is None or intent.subject == ticket.subject:
        return None
    return Step(before=ticket.subject, after=intent.subject)


def _delta(present: list[str], add: Iterable[str], remove: Iterable[str]) -> Delta:
    # dict.fromkeys keeps the writer's order and drops repetitions.
    return Delta(
        added=tuple(name for name in dict.fromkeys(add) if name not in present),
        removed=tuple(name for name in dict.fromkeys(remove) if name in present),
    )


def _advance(ticket: Ticket, update: Update) -> None:
    if update.status is not None:
        ticket.status = _as_status(update.status.after)
    if update.subject is not None:
        ticket.subject = update.subject.after
    ticket.tags = _merged(ticket.tags, update.tags)
    ticket.views = _merged(ticket.views, update.views)
    ticket.seen_views.update(ticket.views)
    ticket.updated_at = update.at
    ticket.updates.append(update)


def _merged(names: list[str], delta: Delta) -> list[str]:
    return [name for name in names if name not in delta.removed] + list(delta.added)


def _as_status(word: str) -> Status:
    match word:
        case "Open" | "With customer" | "Closed":
            return word
        case _:
            raise ValueError(f"no such status: {word}")
