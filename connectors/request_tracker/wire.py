"""The JSON of RT's REST 2.0 that is used, and nothing more.

RT writes numbers now as numbers, now as text, and leaves out as an empty text what it does not
tell; all of that ends here. https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

T = TypeVar("T")

#: As text where it is a key, as a number where it is an order.
Id = str | int
#: The kind of a transaction that cannot be read.
UNREADABLE = ""
Moment = Annotated[datetime, Meta(tz=True)]
#: No transaction has a higher number in any database that RT runs on.
_MOST_DIGITS = 18


class NotAsDocumented(ValueError):
    """JSON that is not what RT documents; the message names no content."""


class Ref(Struct, frozen=True, kw_only=True):
    """Another record, with the fields that were asked for."""

    id: Id
    type: str = ""
    name: str = field(name="Name", default="")
    real_name: str = field(name="RealName", default="")


class FieldValues(Struct, frozen=True, kw_only=True):
    """A custom field of one record."""

    id: Id
    name: str
    values: tuple[Any, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Its values that are text; pictures and files are none."""
        return tuple(value for value in self.values if isinstance(value, str))


class Ticket(Struct, frozen=True, kw_only=True):
    """`GET /ticket/{id}`, and an item of `/tickets`."""

    id: Id
    subject: str | None = field(name="Subject")
    status: str = field(name="Status")
    queue: Ref = field(name="Queue")
    owner: Ref = field(name="Owner")
    creator: Ref = field(name="Creator")
    requestors: tuple[Ref, ...] = field(name="Requestor")
    created: Moment = field(name="Created")
    updated: Moment = field(name="LastUpdated")
    fields: tuple[FieldValues, ...] | str = field(name="CustomFields", default="")

    def __post_init__(self) -> None:
        number(self.id)

    @property
    def custom_fields(self) -> tuple[FieldValues, ...]:
        return () if isinstance(self.fields, str) else self.fields


class Transaction(Struct, frozen=True, kw_only=True):
    """An item of `/transactions` and of a ticket's history."""

    id: Id
    kind: str = field(name="Type")
    creator: Ref = field(name="Creator")
    created: Moment = field(name="Created")
    ticket_id: Id = field(name="ObjectId")
    field_name: Id | None = field(name="Field", default=None)
    old: Id | None = field(name="OldValue", default=None)
    new: Id | None = field(name="NewValue", default=None)
    fields: tuple[FieldValues, ...] | str = field(name="CustomFields", default="")

    def __post_init__(self) -> None:
        number(self.id)
        number(self.ticket_id)

    @property
    def number(self) -> int:
        """Its place in the order of all transactions."""
        return number(self.id)

    @property
    def custom_fields(self) -> tuple[FieldValues, ...]:
        return () if isinstance(self.fields, str) else self.fields


class NamedRow(Struct, frozen=True, kw_only=True):
    """What must at least be known of a transaction: which it is, and on what."""

    id: Id
    ticket_id: Id = field(name="ObjectId")

    def __post_init__(self) -> None:
        number(self.id)
        number(self.ticket_id)


class Part(Struct, frozen=True, kw_only=True):
    """An item of `/attachments`: a file, or a piece of a comment's text."""

    id: Id
    transaction: Id = field(name="TransactionId")
    content_type: str | None = field(name="ContentType", default=None)
    filename: str | None = field(name="Filename", default=None)
    length: Id | None = field(name="ContentLength", default=None)
    content: str | None = field(name="Content", default=None)

    def __post_init__(self) -> None:
        number(self.id)
        number(self.transaction)
        number(self.length or 0)

    @property
    def size(self) -> int:
        return number(self.length or 0)


class User(Struct, frozen=True, kw_only=True):
    """`GET /user/{name}`, as far as the token may see it."""

    name: str = field(name="Name", default="")
    real_name: str | None = field(name="RealName", default=None)
    address: str | None = field(name="EmailAddress", default=None)
    privileged: Id | None = field(name="Privileged", default=None)
    links: tuple[dict[str, Any], ...] = field(name="_hyperlinks", default=())

    @property
    def number(self) -> str:
        """Its number, which is no name and no address; empty where RT does not tell."""
        found = (link.get("id") for link in self.links if link.get("ref") == "self")
        return str(next(found, "") or "")


class Queue(Struct, frozen=True, kw_only=True):
    """`GET /queue/{name}`."""

    id: Id
    name: str = field(name="Name")
    ticket_fields: tuple[FieldName, ...] = field(name="TicketCustomFields", default=())
    transaction_fields: tuple[FieldName, ...] = field(
        name="TicketTransactionCustomFields", default=()
    )


class FieldName(Struct, frozen=True, kw_only=True):
    """A custom field that a queue has."""

    id: Id
    name: str


class Page(Struct, frozen=True, kw_only=True):
    """A page of any listing; its items are decoded one by one."""

    items: tuple[msgspec.Raw, ...]
    #: Told by few listings.
    total: int | None = None


class NamedTicket(Struct, frozen=True, kw_only=True):
    """What must at least be known of a ticket."""

    id: Id


class TicketPage(Struct, frozen=True, kw_only=True):
    """A page of tickets."""

    tickets: tuple[Ticket, ...]
    #: The numbers of those that cannot be read, as far as they tell.
    unreadable: tuple[int, ...]
    #: How many rows the page has, whatever they are.
    count: int
    #: How many tickets there are on all pages, where RT tells.
    total: int | None


class Server(Struct, frozen=True, kw_only=True):
    """`GET /rt`."""

    version: str = field(name="Version")


class Message(Struct, frozen=True, kw_only=True):
    """An error's body."""

    message: str


def read(kind: type[T], raw: bytes | msgspec.Raw) -> T:
    """Decode. Raises `NotAsDocumented`."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotAsDocumented(type(error).__name__) from None


def read_items(kind: type[T], raw: bytes) -> tuple[T, ...]:
    """The items of a page. Raises `NotAsDocumented`."""
    return tuple(read(kind, item) for item in read(Page, raw).items)


def read_rows(raw: bytes) -> tuple[Transaction, ...]:
    """The transactions of a page; one that only tells its ticket is of the kind `UNREADABLE`.

    So that a bad one does not hide the others. Raises `NotAsDocumented` for one that tells nothing.
    """
    found = []
    for item in read(Page, raw).items:
        try:
            found.append(read(Transaction, item))
        except NotAsDocumented:
            named = read(NamedRow, item)
            found.append(
                Transaction(
                    id=named.id,
                    ticket_id=named.ticket_id,
                    kind=UNREADABLE,
                    creator=Ref(id=""),
                    created=datetime(1970, 1, 1, tzinfo=UTC),
                )
            )
    return tuple(found)


def read_tickets(raw: bytes) -> TicketPage:
    """The tickets of a page that can be read, and what is known of the others."""
    page = read(Page, raw)
    found, unreadable = [], []
    for item in page.items:
        try:
            found.append(read(Ticket, item))
        except NotAsDocumented:
            # It is missing then, and read by itself.
            with contextlib.suppress(NotAsDocumented):
                unreadable.append(number(read(NamedTicket, item).id))
    return TicketPage(
        tickets=tuple(found),
        unreadable=tuple(unreadable),
        count=len(page.items),
        total=page.total,
    )


def read_results(raw: bytes) -> tuple[str, ...]:
    """What RT says to a write: sentences in the user's language, never understood."""
    return read(tuple[str, ...], raw)


def number(value: Id) -> int:
    """An id as a number. Raises `NotAsDocumented`."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise NotAsDocumented("an id that is no number")
    return int(text)


def version(etag: str | None) -> int:
    """The transaction that an ETag names. Raises `NotAsDocumented`."""
    return number((etag or "").strip().removeprefix('"').removesuffix('"'))


def write(value: object) -> bytes:
    """Encode, the same bytes for the same value."""
    return msgspec.json.encode(value)
