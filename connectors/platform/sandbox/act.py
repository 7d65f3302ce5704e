"""Act as a person at the platform's own pages: `POST /_sandbox/act`.

{"as": NAME, "do": "open", "subject", "body_html", "tags"?, "metadata"?, "view"?, "attachments"?}
{"as": NAME, "do": "update", "ticket_id", "comment"?, "status"?, "subject"?, "add_tags"?,
 "remove_tags"?}
{"as": NAME, "do": "escalate" or "withdraw", "ticket_id", "view", "comment"?}
{"as": NAME, "do": "delete", "ticket_id"}

`comment` is {"body_html", "visibility"?, "views"?, "attachments"?}. A customer writes public
comments only; a partner's private comment goes to the views of that person, staff's to the named.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from connectors.platform.sandbox import body_html, dump, wire
from connectors.platform.sandbox.model import (
    Attachment,
    Comment,
    Intent,
    Person,
    Status,
    Ticket,
    Update,
    Visibility,
)
from connectors.platform.sandbox.register import Register
from connectors.platform.sandbox.text import first_unstorable


class ActRefused(ValueError):
    """Something nobody could do at the platform's pages; the message says why."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewAttachment(_Closed):
    """A file somebody adds: its bytes as `text` or `base64`, else only its description."""

    name: str
    size: int = 0
    text: str | None = None
    base64: str | None = None
    content_type: str = "application/octet-stream"


class NewComment(_Closed):
    """What somebody writes."""

    body_html: str
    visibility: Visibility = "public"
    # None is the writer's default.
    views: list[str] | None = None
    attachments: list[NewAttachment] = []


class _Act(_Closed):
    who: Annotated[str, Field(alias="as")]


class Open(_Act):
    """A customer opens a ticket; with `view` staff escalate it at once, by a second update."""

    do: Literal["open"]
    subject: str
    body_html: str
    tags: list[str] = []
    metadata: dict[str, str] = {}
    attachments: list[NewAttachment] = []
    view: str | None = None


class Change(_Act):
    """Somebody comments or changes fields, in one update."""

    do: Literal["update"]
    ticket_id: str
    comment: NewComment | None = None
    status: Status | None = None
    subject: str | None = None
    add_tags: list[str] = []
    remove_tags: list[str] = []


class Move(_Act):
    """Somebody puts the ticket into a view or takes it out."""

    do: Literal["escalate", "withdraw"]
    ticket_id: str
    view: str
    comment: NewComment | None = None


class Delete(_Act):
    """Staff delete a ticket."""

    do: Literal["delete"]
    ticket_id: str


Act = Annotated[Open | Change | Move | Delete, Field(discriminator="do")]
_ACT: TypeAdapter[Open | Change | Move | Delete] = TypeAdapter(Act)


def act(register: Register, value: object) -> dict[str, object]:
    """Do what is described; returns {"ticket", "update"}, either None. Raises ActRefused."""
    if first_unstorable(value) is not None:
        raise ActRefused("a NUL or half a surrogate pair is not text")
    try:
        wanted = _ACT.validate_python(value)
    except ValidationError as error:
        raise ActRefused(str(error)) from error
    person = register.person(wanted.who)
    if person is None:
        raise ActRefused(f"nobody here is called {wanted.who}")
    if isinstance(wanted, Open):
        return _answer(*_open(register, person, wanted))
    ticket = register.tickets.get(wanted.ticket_id)
    if ticket is None:
        raise ActRefused(f"no ticket {wanted.ticket_id}")
    match wanted:
        case Change():
            return _answer(ticket, register.commit(ticket, _change(register, person, wanted)))
        case Move():
            return _answer(ticket, register.commit(ticket, _move(register, person, wanted)))
        case Delete():
            register.delete(ticket)
            return _answer(None, None)


def _open(register: Register, person: Person, wanted: Open) -> tuple[Ticket, Update]:
    _refuse_unknown_view(register, [wanted.view] if wanted.view else [])
    first = NewComment(body_html=wanted.body_html, attachments=wanted.attachments)
    ticket = register.open(
        requester=person,
        subject=wanted.subject,
        metadata=wanted.metadata,
        intent=Intent(
            actor=person,
            via="web",
            comment=_comment(register, person, first),
            add_tags=tuple(wanted.tags),
        ),
    )
    if wanted.view is not None:
        staff = next((p for p in register.people.values() if p.role == "staff"), person)
        register.commit(ticket, Intent(actor=staff, via="web", add_views=(wanted.view,)))
    return ticket, ticket.updates[-1]


def _change(register: Register, person: Person, wanted: Change) -> Intent:
    return Intent(
        actor=person,
        via="web",
        comment=_comment(register, person, wanted.comment) if wanted.comment else None,
        status=wanted.status,
        subject=wanted.subject,
        add_tags=tuple(wanted.add_tags),
        remove_tags=tuple(wanted.remove_tags),
    )


def _move(register: Register, person: Person, wanted: Move) -> Intent:
    if person.role == "customer":
        raise ActRefused("a customer does not know of views")
    _refuse_unknown_view(register, [wanted.view])
    is_escalation = wanted.do == "escalate"
    return Intent(
        actor=person,
        via="web",
        comment=_comment(register, person, wanted.comment) if wanted.comment else None,
        add_views=(wanted.view,) if is_escalation else (),
        remove_views=() if is_escalation else (wanted.view,),
    )


def _comment(register: Register, person: Person, new: NewComment) -> Comment:
    if person.role == "customer" and new.visibility == "private":
        raise ActRefused("a customer's comments are public")
    is_private = new.visibility == "private"
    if new.views and not is_private:
        raise ActRefused("a public comment names no views")
    views = frozenset(new.views or ())
    _refuse_unknown_view(register, views)
    if new.views is None and is_private and person.role == "partner":
        views = person.views
    body = body_html.clean(new.body_html)
    if not body_html.has_text(body) and not new.attachments:
        raise ActRefused("a comment needs text or a file")
    return Comment(
        author=person,
        visibility=new.visibility,
        views=views,
        body_html=body,
        attachments=tuple(_attachment(register, one) for one in new.attachments),
    )


def _attachment(register: Register, new: NewAttachment) -> Attachment:
    content = None if new.text is None else new.text.encode()
    if new.base64 is not None:
        content = b64decode(new.base64)
    return register.files.add(register.new_id(), new.name, new.content_type, content, size=new.size)


def _refuse_unknown_view(register: Register, views: list[str] | frozenset[str]) -> None:
    if unknown := set(views) - register.views:
        raise ActRefused(f"no such view: {', '.join(sorted(unknown))}")


def _answer(ticket: Ticket | None, update: Update | None) -> dict[str, object]:
    return {
        "ticket": wire.ticket_json(ticket, dump.STAFF_EYES) if ticket else None,
        "update": dump.update_json(update) if update else None,
    }
