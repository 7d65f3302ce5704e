"""RT's REST 2.0 operations that are used, each as one typed call; `mapping` knows what they mean.

Every call may raise `Unreachable`, `RateLimited`, `Unauthorised` or `Unintelligible`. RT publishes
no quota and has few workers: never more than `at_once` requests are on their way.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import httpx

from connectors.http import (
    Downloads,
    Explanation,
    FixedCredential,
    HttpClient,
    Meaning,
    OnRequest,
    Request,
)
from connectors.request_tracker import queries, wire
from syncd.core.errors import Gone, OutcomeUnknown, Unintelligible
from syncd.ports import Budget, Clock

_Named = TypeVar("_Named", wire.User, wire.Queue)
ROWS_PER_PAGE = 100
#: Texts may have a megabyte each: so many comments' still fit into the largest answer read.
COMMENTS_PER_REQUEST = 25
#: Servers in the way commonly refuse addresses beyond 8 KiB.
TICKETS_PER_REQUEST = 50
UPLOAD_SECONDS = 240.0

_TRANSACTION = (
    ("fields", "Type,Creator,Created,Field,OldValue,NewValue,ObjectId,CustomFields"),
    ("fields[Creator]", "RealName"),
)
_TICKET = (
    ("fields", "Subject,Status,Queue,Owner,Creator,Requestor,Created,LastUpdated,CustomFields"),
    ("fields[Queue]", "Name"),
)
_READ_STRICTLY = partial(wire.read_items, wire.Transaction)
_PART = "TransactionId,ContentType,Filename,ContentLength"
_HINTS = {
    400: "RT refuses this write: compare the rights of syncd's user with `syncd doctor`.",
    403: "Give syncd's user the rights that `syncd doctor` names.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A ticket, the newest of its transactions that we may see, and RT's clock when it answered."""

    ticket: wire.Ticket
    version: int
    date: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A page of transactions, and RT's clock when it answered."""

    rows: tuple[wire.Transaction, ...]
    date: datetime | None
    is_full: bool


class RequestTrackerClient:
    """One token's way to an RT. Safe to use from many tasks."""

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        token: str,
        budget: Budget,
        clock: Clock,
        timeout_seconds: float,
        at_once: int,
        on_request: OnRequest | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(
            connection=connection,
            base_url=base_url + "/REST/2.0",
            budget=budget,
            clock=clock,
            timeout_seconds=timeout_seconds,
            credential=FixedCredential(f"token {token}"),
            explain=explain,
            on_request=on_request,
            transport=transport,
            at_once=at_once,
        )
        self._connection = connection

    # --- reading ---------------------------------------------------------------------------------

    async def server(self) -> wire.Server:
        """What answers there; needs no right but a valid token."""
        request = Request(action="read version", template="/rt")
        return (await self._http.read(request, partial(wire.read, wire.Server))).value

    async def ticket(self, ticket_id: str) -> Shown | None:
        """One ticket as it is now; None for one that we may not see, too.

        For a merged one RT shows the ticket that took it in.
        """
        request = Request(
            action="read ticket",
            template="/ticket/{ticket_id}",
            parameters={"ticket_id": ticket_id},
            query=_TICKET[1:],
            is_about_one_ticket=True,
        )
        try:
            answered = await self._http.read(request, partial(wire.read, wire.Ticket))
        except Gone:
            return None
        try:
            version = wire.version(answered.headers.get("etag"))
        except wire.NotAsDocumented:
            # A ticket none of whose transactions we may see.
            version = 0
        return Shown(ticket=answered.value, version=version, date=answered.date)

    async def history(self, query: str, *, page: int = 1, per_page: int = ROWS_PER_PAGE) -> Rows:
        """Transactions, the newest first."""
        return await self._transactions(query, page=page, per_page=per_page, order="DESC")

    async def changes(self, query: str, *, page: int = 1) -> Rows:
        """Transactions, the oldest first; those that cannot be read are `UNREADABLE`."""
        return await self._transactions(
            query, page=page, per_page=ROWS_PER_PAGE, order="ASC", decode=wire.read_rows
        )

    async def tickets(self, query: str, *, per_page: int = TICKETS_PER_REQUEST) -> wire.TicketPage:
        """Tickets in the order of their numbers, and how many there are in all."""
        request = Request(
            action="list tickets",
            template="/tickets",
            query=(
                ("query", query),
                ("orderby", "id"),
                ("order", "ASC"),
                ("per_page", str(per_page)),
                *_TICKET,
            ),
        )
        return (await self._http.read(request, wire.read_tickets)).value

    async def texts(self, transactions: Sequence[int]) -> tuple[wire.Part, ...]:
        """The texts of comments, and what tells whether there are files beside them."""
        found: list[wire.Part] = []
        for batch in _batches(transactions, COMMENTS_PER_REQUEST):
            query = queries.texts_of(batch)
            found += await self._parts(query, fields=f"{_PART},Content")
        return tuple(found)

    async def parts(self, transactions: Sequence[int]) -> tuple[wire.Part, ...]:
        """All attachments of comments, without their contents."""
        found: list[wire.Part] = []
        for batch in _batches(transactions, COMMENTS_PER_REQUEST):
            found += await self._parts(queries.parts_of(batch), fields=_PART)
        return tuple(found)

    async def part(self, attachment_id: int) -> wire.Part | None:
        """One attachment without its content. RT answers 500 where it is asked for directly."""
        found = await self._parts(queries.part(attachment_id), fields=_PART)
        return found[0] if found else None

    async def user(self, name: str) -> wire.User | None:
        """A user by name; None for one that we may not see."""
        return await self._by_name("user", name, wire.User)

    async def queue(self, name: str) -> wire.Queue | None:
        """A queue by name; None for one that is not there, or that we may not see."""
        return await self._by_name("queue", name, wire.Queue)

    # --- writing ---------------------------------------------------------------------------------

    async def put_ticket(self, ticket_id: str, body: bytes, *, version: str | None) -> None:
        """Change fields, if the ticket is still at that version.

        Further raises `OutcomeUnknown`, `Stale`, `Rejected` and `Gone`. RT answers 200 whatever it
        refuses, in words of the user's language: what became of it must be read.
        """
        request = Request(
            action="write ticket",
            method="PUT",
            template="/ticket/{ticket_id}",
            parameters={"ticket_id": ticket_id},
            body=body,
            headers=() if version is None else (("if-match", f'"{version}"'),),
            is_about_one_ticket=True,
        )
        await self._http.write(request, wire.read_results)

    async def post_message(
        self,
        ticket_id: str,
        kind: str,
        *,
        body: bytes | None = None,
        form: AsyncIterable[bytes] | None = None,
        boundary: str = "",
    ) -> int:
        """Comment or correspond, by JSON or by a form with files; the transaction's number.

        Further raises `OutcomeUnknown`, `Rejected` and `Gone`; RT takes no precondition here.
        """
        request = Request(
            action=f"write {kind}",
            method="POST",
            template="/ticket/{ticket_id}/" + kind,
            parameters={"ticket_id": ticket_id},
            body=body,
            content=form,
            content_type="application/json"
            if form is None
            else f"multipart/form-data; boundary={boundary}",
            timeout_seconds=None if form is None else UPLOAD_SECONDS,
            is_about_one_ticket=True,
        )
        answered = await self._http.write(request, wire.read_results)
        place = answered.headers.get("location", "")
        try:
            return wire.number(place.rpartition("/transaction/")[2])
        except wire.NotAsDocumented:
            raise OutcomeUnknown(
                "the answer does not name what was written",
                connection=self._connection,
                action=request.action,
                status=answered.status,
            ) from None

    def downloads(self) -> Downloads:
        """The way to the contents of files."""
        return self._http.downloads()

    async def close(self) -> None:
        """Close the connection pool."""
        await self._http.close()

    # --- requests --------------------------------------------------------------------------------

    async def _by_name(self, what: str, name: str, shape: type[_Named]) -> _Named | None:
        request = Request(
            action=f"read {what}",
            template=f"/{what}/{{name}}",
            parameters={"name": name},
            is_about_one_ticket=True,
        )
        try:
            return (await self._http.read(request, partial(wire.read, shape))).value
        except Gone:
            return None

    async def _transactions(
        self,
        query: str,
        *,
        page: int,
        per_page: int,
        order: str,
        decode: Callable[[bytes], tuple[wire.Transaction, ...]] = _READ_STRICTLY,
    ) -> Rows:
        request = Request(
            action="read transactions",
            template="/transactions",
            query=(
                ("query", query),
                ("orderby", "id"),
                ("order", order),
                ("page", str(page)),
                ("per_page", str(per_page)),
                *_TRANSACTION,
            ),
        )
        answered = await self._http.read(request, decode)
        rows = answered.value
        return Rows(rows=rows, date=answered.date, is_full=len(rows) >= per_page)

    async def _parts(self, query: str, *, fields: str) -> list[wire.Part]:
        found: dict[int, wire.Part] = {}
        page = 0
        while True:
            page += 1
            request = Request(
                action="read attachments",
                template="/attachments",
                query=(
                    ("query", query),
                    ("fields", fields),
                    ("orderby", "id"),
                    ("page", str(page)),
                    ("per_page", str(ROWS_PER_PAGE)),
                ),
            )
            items = (await self._http.read(request, partial(wire.read_items, wire.Part))).value
            known = len(found)
            found |= {wire.number(item.id): item for item in items}
            if len(items) < ROWS_PER_PAGE:
                return list(found.values())
            if len(found) == known:
                raise Unintelligible(
                    "page after page says the same",
                    connection=self._connection,
                    action=request.action,
                )


def explain(status: int, body: bytes) -> Explanation:
    """RT's errors are sentences in the user's language: only whose they are is told.

    Its own 403 is about one thing that we may not see; a refused token is 401.
    """
    try:
        wire.read(wire.Message, body)
    except wire.NotAsDocumented:
        return Explanation()
    is_unseen = status == httpx.codes.FORBIDDEN
    return Explanation(hint=_HINTS.get(status, ""), meaning=Meaning.MISSING if is_unseen else None)


def _batches(numbers: Iterable[int], size: int) -> list[list[int]]:
    ordered = sorted(set(numbers))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
