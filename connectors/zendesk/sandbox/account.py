"""The account's state: everything the desk holds, and how it is looked up.

No rules here: whoever changes a ticket goes through `update.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connectors.sandbox import SandboxTime
from connectors.zendesk.sandbox.records import (
    Attachment,
    Audit,
    Comment,
    Job,
    Named,
    Notification,
    Ticket,
    Upload,
    User,
)
from connectors.zendesk.sandbox.settings import Person, Role, ZendeskSettings

FIRST_ID = 33144692244371
FIRST_TICKET_ID = 4001


class Account:
    """One account, in memory."""

    def __init__(self, settings: ZendeskSettings, time: SandboxTime) -> None:
        self.settings = settings
        self.time = time
        self._last_id = FIRST_ID - 1
        self._last_ticket_id = FIRST_TICKET_ID - 1
        self.users: dict[int, User] = {}
        self._user_by_email: dict[str, int] = {}
        self.tickets: dict[int, Ticket] = {}
        # Every audit in the order of recording; the events feed reads it.
        self.feed: list[Audit] = []
        self.uploads: dict[str, Upload] = {}
        self.attachments: dict[int, Attachment] = {}
        self.jobs: dict[str, Job] = {}
        self.notifications: list[Notification] = []
        now = self.second()
        self.groups = self._named(settings.groups, now)
        self.brands = self._named(settings.brands, now)
        self.organizations = {
            organization.id: replace(organization, tags=given.tags)
            for organization, given in zip(
                self._named((o.name for o in settings.organizations), now).values(),
                settings.organizations,
                strict=True,
            )
        }
        for person in settings.people:
            self._seed(person)
        self.integration = self.user_by_email(settings.integration_email)

    def second(self) -> int:
        """Now, as coarse as the desk's stamps."""
        return int(self.time.now())

    def new_id(self) -> int:
        """A large id, above all those given before."""
        self._last_id += 1
        return self._last_id

    def new_ticket_id(self) -> int:
        """The next visible ticket number."""
        self._last_ticket_id += 1
        return self._last_ticket_id

    def user_by_email(self, email: str | None) -> User | None:
        """The user having that address, in any case."""
        user_id = self._user_by_email.get(email.lower()) if email else None
        return self.users.get(user_id) if user_id is not None else None

    def user_by_external_id(self, external_id: str) -> User | None:
        """The user having that external id."""
        return next((u for u in self.users.values() if u.external_id == external_id), None)

    def add_user(self, user: User) -> User:
        """Keep a new user, or the changed address of a known one."""
        self.users[user.id] = user
        if user.email:
            self._user_by_email[user.email.lower()] = user.id
        return user

    def group_of(self, user: User) -> int | None:
        """The group an agent works in by default."""
        return user.group_ids[0] if user.group_ids else None

    def group_named(self, name: str) -> Named | None:
        """The group of that name."""
        return next((group for group in self.groups.values() if group.name == name), None)

    def ticket(self, ticket_id: int) -> Ticket | None:
        """A ticket that is there for ordinary reads; deleted ones are not."""
        ticket = self.tickets.get(ticket_id)
        return ticket if ticket is not None and ticket.deleted_at is None else None

    def live_tickets(self) -> Iterator[Ticket]:
        """Tickets that are not deleted."""
        return (ticket for ticket in self.tickets.values() if ticket.deleted_at is None)

    def listed_tickets(self, lag_seconds: float) -> list[Ticket]:
        """Tickets as a listing shows them: new ones are missing for a while."""
        seen_until = self.time.now() - self.time.shrunk(lag_seconds)
        return [
            ticket
            for ticket in self.live_tickets()
            if ticket.born <= seen_until
            and not (self.settings.archives_closed and ticket.status == "closed")
        ]

    def comment(self, ticket: Ticket, comment_id: int) -> Comment | None:
        """A comment of that ticket."""
        return next((c for c in ticket.comments if c.id == comment_id), None)

    def _named(self, names: Iterable[str], now: int) -> dict[int, Named]:
        made = [Named(id=self.new_id(), name=name, created_at=now) for name in names]
        return {one.id: one for one in made}

    def _role(self, person: Person) -> Role:
        is_integration = person.email == self.settings.integration_email
        role: dict[str, Role] = {"agent": "agent", "admin": "admin"}
        return role.get(self.settings.integration_role if is_integration else "", person.role)

    def _seed(self, person: Person) -> None:
        groups = [g.id for name in person.groups if (g := self.group_named(name)) is not None]
        organization = next(
            (o.id for o in self.organizations.values() if o.name == person.organization), None
        )
        now = self.second()
        self.add_user(
            User(
                id=self.new_id(),
                name=person.name,
                email=person.email,
                role=self._role(person),
                group_ids=groups,
                tags=list(person.tags),
                organization_id=organization,
                external_id=person.external_id,
                created_at=now,
                updated_at=now,
            )
        )
