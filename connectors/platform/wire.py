"""The parts of the platform's JSON that are used, as docs/platform-api.yaml describes them.

Members that are not used are not decoded, and unknown ones are ignored, as the contract asks.
Words that could grow (roles, visibilities, statuses) stay strings: a new one must not make a whole
ticket unreadable.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

T = TypeVar("T")

#: Whole numbers that a signed 64-bit column and a JSON number in any language can hold.
Version = Annotated[int, Meta(ge=0, le=2**53)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]
#: RFC 3339 with an offset; one without is not a moment.
Moment = Annotated[datetime, Meta(tz=True)]


class NotAsDocumented(ValueError):
    """Bytes that the contract does not describe; the message names the place, never the value."""


def read(kind: type[T], raw: bytes | Raw) -> T:
    """Decode JSON. Raises `NotAsDocumented`."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except RecursionError:
        raise NotAsDocumented("nested too deep") from None
    except UnicodeDecodeError:
        raise NotAsDocumented("not UTF-8") from None
    except msgspec.MsgspecError as error:
        raise NotAsDocumented(str(error)) from None


def write(value: Struct) -> bytes:
    """Encode a request's body; equal values give equal bytes. Texts must be free of surrogates."""
    return msgspec.json.encode(value)


# --- what comes in -------------------------------------------------------------------------------


class Person(Struct, frozen=True, kw_only=True):
    """Somebody; the id is absent where the platform does not know them."""

    id: str = ""
    name: str
    role: str


class Ticket(Struct, frozen=True, kw_only=True):
    """A ticket as it is now."""

    id: Id
    url: str
    subject: str
    status: str
    tags: tuple[str, ...]
    views: tuple[str, ...]
    requester: Person
    metadata: dict[str, str]
    metadata_as_of: Moment | None
    version: Version
    created_at: Moment
    updated_at: Moment


class Attachment(Struct, frozen=True, kw_only=True):
    """A file, by reference."""

    id: str
    name: str
    size: Version
    content_type: str
    url: str
    scan: str | None = None


class Comment(Struct, frozen=True, kw_only=True):
    """What an update says to people; it has the update's id."""

    author: Person
    visibility: str
    views: tuple[str, ...]
    body_html: str
    attachments: tuple[Attachment, ...]


class StatusStep(Struct, frozen=True, kw_only=True):
    """A status and the one before; None when the ticket was made."""

    before: str | None = field(name="from")
    to: str


class Names(Struct, frozen=True, kw_only=True):
    """Names that came and went."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


class Update(Struct, frozen=True, kw_only=True):
    """One step of a ticket's version, and all that changed in it."""

    id: Id
    ticket_id: Id
    version: Annotated[int, Meta(ge=1, le=2**53)]
    actor: Person
    at: Moment
    comment: Comment | None
    status: StatusStep | None
    tags: Names | None


class Change(Struct, frozen=True, kw_only=True):
    """An entry of the feed, and the body of a webhook."""

    ticket: Ticket
    update: Update


def read_change(raw: bytes | Raw) -> Change:
    """An entry whose ticket and update belong together. Raises `NotAsDocumented`."""
    change = read(Change, raw)
    if change.update.ticket_id != change.ticket.id:
        raise NotAsDocumented("the update of one ticket beside another ticket")
    if change.update.version > change.ticket.version:
        raise NotAsDocumented("an update newer than its ticket")
    return change


class TicketAnswer(Struct, frozen=True, kw_only=True):
    """`GET /tickets/{id}`."""

    ticket: Ticket


def read_ticket_answer(raw: bytes, *, ticket_id: str) -> Ticket:
    """The ticket asked for and no other. Raises `NotAsDocumented`."""
    ticket = read(TicketAnswer, raw).ticket
    if ticket.id != ticket_id:
        raise NotAsDocumented("another ticket")
    return ticket


class Addressee(Struct, frozen=True, kw_only=True):
    """The requester's address alone; absent where the token may not see it."""

    email: str | None = None


class AddressedTicket(Struct, frozen=True, kw_only=True):
    """A ticket of which nothing else is read."""

    id: Id
    requester: Addressee


class AddressAnswer(Struct, frozen=True, kw_only=True):
    """`GET /tickets/{id}`, read for the address."""

    ticket: AddressedTicket


def read_address_answer(raw: bytes, *, ticket_id: str) -> str | None:
    """The address of this ticket's requester and of no other's. Raises `NotAsDocumented`."""
    ticket = read(AddressAnswer, raw).ticket
    if ticket.id != ticket_id:
        raise NotAsDocumented("another ticket")
    return ticket.requester.email


class UpdateAnswer(Struct, frozen=True, kw_only=True):
    """`PUT /tickets/{id}/updates/{update_id}`; no update when nothing changed."""

    ticket: Ticket
    update: Update | None


class UpdatePage(Struct, frozen=True, kw_only=True):
    """`GET /tickets/{id}/updates`; ticket and updates were read at one moment."""

    ticket: Ticket
    updates: tuple[Update, ...]
    more: bool


def read_update_page(raw: bytes, *, ticket_id: str, after: int) -> UpdatePage:
    """A page of one ticket's history that joins version `after` without a gap.

    What it proves of the comments rests on this. Raises `NotAsDocumented`.
    """
    page = read(UpdatePage, raw)
    if any(found != ticket_id for found in (page.ticket.id, *(u.ticket_id for u in page.updates))):
        raise NotAsDocumented("the history of another ticket")
    reached = after + len(page.updates)
    if [update.version for update in page.updates] != list(range(after + 1, reached + 1)):
        raise NotAsDocumented("a gap in the versions")
    if page.more and not page.updates:
        raise NotAsDocumented("more to come after nothing")
    if not page.more and page.ticket.version != reached:
        raise NotAsDocumented("a history that does not end at the ticket's version")
    return page


def read_update_answer(raw: bytes, *, ticket_id: str, update_id: str) -> UpdateAnswer:
    """The answer to our write and no other. Raises `NotAsDocumented`."""
    answer = read(UpdateAnswer, raw)
    update = answer.update
    if answer.ticket.id != ticket_id:
        raise NotAsDocumented("the answer speaks of another ticket")
    if update is not None and (update.id, update.ticket_id) != (update_id, ticket_id):
        raise NotAsDocumented("the answer speaks of another update")
    if update is not None and update.version > answer.ticket.version:
        raise NotAsDocumented("an update newer than its ticket")
    return answer


class AttachmentAnswer(Struct, frozen=True, kw_only=True):
    """`PUT /attachments/{id}`, and `GET` of its description."""

    attachment: Attachment


class ChangePage(Struct, frozen=True, kw_only=True):
    """`GET /changes`; rows are decoded one by one, so that a bad one does not hide the others."""

    changes: tuple[Raw, ...]
    next_cursor: str
    more: bool


class TicketPage(Struct, frozen=True, kw_only=True):
    """`GET /tickets`; a platform may leave out any thread, and all of them."""

    tickets: tuple[Raw, ...]
    next_cursor: str | None
    more: bool
    threads: tuple[Raw, ...] = ()


class Thread(Struct, frozen=True, kw_only=True):
    """All updates of a ticket of the page, from its first one on."""

    ticket_id: Id
    updates: tuple[Update, ...]


def is_whole(thread: Thread, ticket: Ticket) -> bool:
    """Whether the thread is this ticket's, without a gap, and ends at the ticket's version."""
    versions = [update.version for update in thread.updates]
    is_its_own = all(update.ticket_id == ticket.id for update in thread.updates)
    return is_its_own and versions == list(range(1, ticket.version + 1))


def read_ticket_page(raw: bytes, *, asked: str | None) -> TicketPage:
    """A page that leads on, if it says that more follows. Raises `NotAsDocumented`."""
    page = read(TicketPage, raw)
    if page.more and page.next_cursor in {None, asked}:
        raise NotAsDocumented("more to come, and no way there")
    return page


class TicketBatch(Struct, frozen=True, kw_only=True):
    """`GET /tickets:batch`."""

    tickets: tuple[Raw, ...]


class Me(Struct, frozen=True, kw_only=True):
    """`GET /me`."""

    name: str
    views: tuple[str, ...]
    scopes: tuple[str, ...]
    server_time: Moment


class Named(Struct, frozen=True, kw_only=True):
    """Anything with an id; all that is asked of a row that cannot be read otherwise."""

    id: Id


class NamedChange(Struct, frozen=True, kw_only=True):
    """A change of which only the names can be read."""

    ticket: Named
    update: Named


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """Why a request was refused; the message is the platform's and is not repeated."""

    code: str
    field: str | None = None


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """The body of every 4xx and 5xx."""

    error: ErrorDetail


# --- what goes out -------------------------------------------------------------------------------


class NewAuthor(Struct, frozen=True, kw_only=True):
    """Who really wrote a comment."""

    name: str
    role: str


class NewComment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A comment to be written; the visibility is always said."""

    visibility: str
    views: tuple[str, ...] = ()
    body_html: str
    author: NewAuthor | UnsetType = UNSET
    occurred_at: datetime | UnsetType = UNSET
    #: Ids under which their bytes were put before.
    attachments: tuple[str, ...] = ()


class Delta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names to add and to remove."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class NewUpdate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a write. An absent member changes nothing; null is not allowed."""

    comment: NewComment | UnsetType = UNSET
    status: str | UnsetType = UNSET
    tags: Delta | UnsetType = UNSET
    views: Delta | UnsetType = UNSET
    notify: bool


# --- webhooks ------------------------------------------------------------------------------------

#: What an update can touch; a webhook without a choice is told of all.
EVENTS = frozenset({"comment", "status", "tags", "views", "subject"})


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook of the token's, without its secret."""

    id: str
    url: str
    events: tuple[str, ...]


class WebhookAnswer(Struct, frozen=True, kw_only=True):
    """What reading or putting a webhook is answered with."""

    webhook: Webhook


class NewWebhook(Struct, frozen=True, kw_only=True):
    """Told of everything, since no choice of events is made."""

    url: str
    secret: str
