"""Everything the platform holds, as JSON for tests and for eyes; secrets stay out.

Unlike the contract's answers it hides nothing: every comment, every view, every mail.
"""

from __future__ import annotations

from dataclasses import asdict

from connectors.platform.sandbox import wire
from connectors.platform.sandbox.hooks import Hooks, webhook_json
from connectors.platform.sandbox.model import Mail, Person, Ticket, Token, Update
from connectors.platform.sandbox.register import Register

STAFF_EYES = Token(
    id="", name="platform", secret="", views=frozenset(), scopes=frozenset(), is_staff=True
)


def state_json(register: Register, hooks: Hooks) -> dict[str, object]:
    """The whole desk."""
    return {
        "views": sorted(register.views),
        "people": [_person_json(person) for person in register.people.values()],
        "tokens": [
            {"id": t.id, "name": t.name, "views": sorted(t.views), "scopes": sorted(t.scopes)}
            for t in register.tokens.values()
        ],
        "tickets": [ticket_json(ticket) for ticket in register.tickets.values()],
        "notifications": [_mail_json(mail) for mail in register.mails],
        "webhooks": [
            {"token_id": hook.token_id, **webhook_json(hook)} for hook in hooks.webhooks.values()
        ],
        "deliveries": [asdict(delivery) for delivery in hooks.courier.deliveries],
    }


def ticket_json(ticket: Ticket) -> dict[str, object]:
    """A ticket with its comments and updates in order."""
    return {
        **wire.ticket_json(ticket, STAFF_EYES),
        "seen_views": sorted(ticket.seen_views),
        "comments": [comment_json(update) for update in ticket.updates if update.comment],
        "updates": [update_json(update) for update in ticket.updates],
    }


def update_json(update: Update) -> dict[str, object]:
    """An update with nothing hidden, and its place in the feed."""
    return {**wire.update_json(update, STAFF_EYES), "position": str(update.position)}


def comment_json(update: Update) -> dict[str, object]:
    """A comment with what its update says about it."""
    shown = wire.update_json(update, STAFF_EYES)
    comment = shown["comment"]
    return {
        **(comment if isinstance(comment, dict) else {}),
        "update_id": update.id,
        "version": update.version,
        "at": shown["at"],
        "via": update.via,
        "actor": shown["actor"],
    }


def _person_json(person: Person) -> dict[str, object]:
    return {
        **wire.person_json(person),
        "email": person.email,
        "views": sorted(person.views),
        "notified": person.is_notified,
    }


def _mail_json(mail: Mail) -> dict[str, object]:
    return {
        "at": wire.time_json(mail.at),
        "to": mail.to,
        "reason": mail.reason,
        "ticket_id": mail.ticket_id,
        "update_id": mail.update_id,
    }
