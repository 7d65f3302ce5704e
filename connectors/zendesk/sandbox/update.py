"""Keeps an update: one audit with its events, the ticket's new values, the stamps.

An update happens whole or not at all. What the desk's own rules do afterwards is `business.py`;
the order of answer and rules is decided in `Updates.carry_out`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.business import BusinessRules
from connectors.zendesk.sandbox.compose import NewComment
from connectors.zendesk.sandbox.draft import Draft, Drafting
from connectors.zendesk.sandbox.errors import conflict, invalid_field
from connectors.zendesk.sandbox.records import (
    SYSTEM_ID,
    Audit,
    Comment,
    Event,
    Json,
    Ticket,
    User,
    Via,
)
from connectors.zendesk.sandbox.wire import audit_json, ticket_json

# Fields whose changes are lines of an audit, in the order they appear there.
AUDITED: Final = (
    "subject", "requester_id", "organization_id", "brand_id", "ticket_form_id", "status",
    "custom_status_id", "priority", "type", "group_id", "assignee_id", "external_id", "due_at",
    "problem_id", "tags",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A carried-out request: the ticket, its audit, and the answer's two objects."""

    ticket: Ticket
    audit: Audit
    answer: Json


@dataclass(kw_only=True, slots=True)
class Updates:
    """Creates and updates tickets of one account."""

    account: Account
    # Told of every kept audit, after triggers; with whether the ticket is new.
    on_kept: Callable[[Ticket, Audit, bool], None] = lambda _t, _a, _n: None
    drafting: Drafting = field(init=False)
    rules: BusinessRules = field(init=False)

    def __post_init__(self) -> None:
        self.drafting = Drafting(self.account)
        self.rules = BusinessRules(self.account)

    def create(
        self, given: Json, actor: User, via: Via, *, requester: User, base_url: str = ""
    ) -> Done:
        """A new ticket by the ordinary way: triggers run, mails go out. Raises Refusal."""
        draft = self.drafting.of_new(given, requester)
        submitter = self.account.users.get(int(given.get("submitter_id") or 0)) or actor
        ticket_id = self.account.new_ticket_id()
        self.drafting.first_comment(given, draft, ticket_id=ticket_id, author=submitter)
        self.drafting.check_solved("new", draft, actor)
        now = self.account.second()
        ticket = self._new_ticket(ticket_id, draft, submitter, via, now)
        audit = self.open_audit(ticket, actor, via, draft.metadata)
        self.add_comment(ticket, audit, draft.comment)
        self.describe_creation(ticket, audit)
        self.stamp(ticket)
        return self._finish(ticket, audit, base_url, is_new=True)

    def carry_out(
        self,
        ticket: Ticket,
        given: Json,
        actor: User,
        via: Via,
        *,
        moves_stamp: bool = True,
        base_url: str = "",
    ) -> Done:
        """Update a ticket. Raises Refusal.

        An update that changes nothing keeps nothing and answers with the previous audit.
        `moves_stamp` False leaves `updated_at` alone, as the system's own changes may.
        """
        self.check_open(ticket)
        self.check_stamp(ticket, given)
        draft = self.drafting.of_update(ticket, given, actor)
        changes = _changes(ticket, draft)
        if not changes and draft.comment is None:
            return Done(
                ticket=ticket,
                audit=ticket.audits[-1],
                answer=self._answer(ticket, ticket.audits[-1], base_url),
            )
        audit = self.open_audit(ticket, actor, via, draft.metadata)
        self.add_comment(ticket, audit, draft.comment)
        self.record_changes(audit, changes)
        self._take(ticket, draft)
        self.stamp(ticket, moves_stamp=moves_stamp)
        return self._finish(ticket, audit, base_url, is_new=False)

    def check_open(self, ticket: Ticket) -> None:
        """A closed ticket takes no update. Raises Refusal."""
        if ticket.status == "closed":
            raise invalid_field("status", "Status: closed prevents ticket update")

    def check_stamp(self, ticket: Ticket, given: Json) -> None:
        """Refuse a safe update whose stamp is old; any value of safe_update switches it on."""
        if "safe_update" not in given:
            return
        stamp = _seconds(given.get("updated_stamp"))
        if stamp is None:
            raise invalid_field("base", "Updated stamp: is required for a safe update")
        if stamp != ticket.updated_at:
            raise conflict(self.account.settings.conflict_body)

    def open_audit(
        self, ticket: Ticket, actor: User | None, via: Via, metadata: Json | None = None
    ) -> Audit:
        """A new audit of the ticket, without events yet; without actor it is the system's."""
        now = self.account.second()
        system = {} if actor is None else {"client": "", "ip_address": "127.0.0.1"}
        audit = Audit(
            id=self.account.new_id(),
            ticket_id=ticket.id,
            author_id=SYSTEM_ID if actor is None else actor.id,
            created_at=now,
            recorded_at=now,
            via=via,
            metadata={"system": system, "custom": metadata or {}},
        )
        ticket.audits.append(audit)
        self.account.feed.append(audit)
        return audit

    def add_event(self, audit: Audit, kind: str, data: Json, via: Via | None = None) -> Event:
        """One more line in the audit."""
        event = Event(id=self.account.new_id(), kind=kind, data=data, via=via)
        audit.events.append(event)
        return event

    def add_comment(
        self,
        ticket: Ticket,
        audit: Audit,
        new: NewComment | None,
        via: Via | None = None,
    ) -> Comment | None:
        """Append a comment to the ticket; its id is its event's."""
        if new is None:
            return None
        event = self.add_event(audit, "Comment", {})
        comment = Comment(
            id=event.id,
            author_id=new.author.id,
            is_public=new.is_public,
            html_body=new.html_body,
            body=new.body,
            plain_body=new.plain_body,
            created_at=audit.created_at,
            audit_id=audit.id,
            via=via or audit.via,
            attachments=list(new.attachments),
        )
        event.comment = comment
        ticket.comments.append(comment)
        if len(ticket.comments) == 1:
            ticket.first_public = comment.is_public
        for token in new.upload_tokens:
            self.account.uploads.pop(token, None)
        return comment

    def describe_creation(self, ticket: Ticket, audit: Audit) -> None:
        """The Create lines of a new ticket."""
        for name in AUDITED:
            if (value := ticket.values[name]) not in (None, "", []):
                self.add_event(audit, "Create", {"field_name": name, "value": wire_value(value)})
        for field_id, chosen in ticket.custom.items():
            if chosen is not None:
                self.add_event(audit, "Create", {"field_name": str(field_id), "value": chosen})

    def record_changes(
        self, audit: Audit, changes: list[tuple[str, Any, Any]], via: Via | None = None
    ) -> None:
        """The Change lines of an update."""
        for name, before, after in changes:
            self.add_event(
                audit,
                "Change",
                {
                    "field_name": name,
                    "value": wire_value(after),
                    "previous_value": wire_value(before),
                },
                via,
            )

    def change(self, ticket: Ticket, audit: Audit, name: str, value: Any) -> None:
        """Set one field, with its Change line; the caller stamps."""
        before = ticket.values[name]
        if before != value:
            self.record_changes(audit, [(name, before, value)])
            ticket.values[name] = value

    def stamp(self, ticket: Ticket, *, moves_stamp: bool = True) -> None:
        """Move the ticket's times after a change."""
        now = self.account.second()
        ticket.generated_at = now
        if moves_stamp:
            ticket.updated_at = now
        if ticket.values["status"] in ("solved", "closed"):
            ticket.solved_at = ticket.solved_at or now
        else:
            ticket.solved_at = None

    def kept(self, ticket: Ticket, audit: Audit, *, is_new: bool = False) -> None:
        """Tell whoever listens that an audit is complete."""
        self.on_kept(ticket, audit, is_new)

    def _take(self, ticket: Ticket, draft: Draft) -> None:
        ticket.values = draft.values
        ticket.custom = draft.custom

    def _new_ticket(
        self, ticket_id: int, draft: Draft, submitter: User, via: Via, now: int
    ) -> Ticket:
        ticket = Ticket(
            id=ticket_id,
            values=draft.values,
            custom=draft.custom,
            submitter_id=submitter.id,
            via=via,
            created_at=now,
            updated_at=now,
            generated_at=now,
            born=self.account.time.now(),
        )
        self.account.tickets[ticket_id] = ticket
        return ticket

    def _finish(self, ticket: Ticket, audit: Audit, base_url: str, *, is_new: bool) -> Done:
        # The answer is made before the triggers run, unless the account is set otherwise.
        answer = self._answer(ticket, audit, base_url)
        if self.rules.run(ticket, audit, self, is_new=is_new):
            self.stamp(ticket)
        if self.account.settings.answers_after_triggers:
            answer = self._answer(ticket, audit, base_url)
        self.kept(ticket, audit, is_new=is_new)
        return Done(ticket=ticket, audit=audit, answer=answer)

    def _answer(self, ticket: Ticket, audit: Audit, base_url: str) -> Json:
        return {
            "ticket": ticket_json(ticket, self.account, base_url),
            "audit": audit_json(audit, self.account, base_url),
        }


def _changes(ticket: Ticket, draft: Draft) -> list[tuple[str, Any, Any]]:
    changes = [
        (name, ticket.values[name], draft.values[name])
        for name in AUDITED
        if ticket.values[name] != draft.values[name]
    ]
    changes += [
        (str(field_id), ticket.custom.get(field_id), value)
        for field_id, value in draft.custom.items()
        if ticket.custom.get(field_id) != value
    ]
    return changes


def wire_value(value: Any) -> Any:
    """A field's value as audits show it: ids are strings, tags a list, unset is null."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return str(value)


def _seconds(stamp: object) -> int | None:
    try:
        return int(datetime.fromisoformat(str(stamp)).timestamp())
    except ValueError:
        return None
