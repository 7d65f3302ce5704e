"""Zendesk's endpoints that are used, each as one typed call; `mapping` knows what they mean.

Reads may raise `Unreachable`, `RateLimited`, `Unauthorised` or `Unintelligible`; a missing ticket
is None. Writes are sent once and may raise whatever `Connector.write` may.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from functools import partial
from typing import TypeVar

from connectors.http import Answered, Downloads, HttpClient, Request
from connectors.zendesk import wire
from connectors.zendesk.paging import MOST_PAGES, PAGE_SIZE, P, pages
from connectors.zendesk.warnings import Warnings
from syncd.core.errors import Gone, Rejected, Unauthorised
from syncd.core.model import ConnectionName

T = TypeVar("T")

EXPORTS = "incremental-exports"
UPDATES = "tickets-update"
#: Contents of files count by themselves.
CONTENT = "attachment-content"
CONTENT_PER_MINUTE = 2500
#: Counted per ticket and user: it slows nobody else.
NARROW_BUCKETS = frozenset({"per-ticket-updates", "ticket-request-create-by-user-and-ip"})
IDS_PER_REQUEST = 100
#: For one file of 50 MB over a slow line.
UPLOAD_SECONDS = 240.0
_MOST_JOB_PAGES = 5
_FORBIDDEN = 403
_TICKET = "/api/v2/tickets/{id}"


class ZendeskClient:
    """One account's API."""

    def __init__(
        self, name: ConnectionName, http: HttpClient, *, tokens: HttpClient | None = None
    ) -> None:
        """`tokens` is the client by which the credential fetches its tokens; closed with us."""
        self._http = http
        self._tokens = tokens
        self._warnings = Warnings(name)

    @property
    def http(self) -> HttpClient:
        """For the account's endpoints that are not about tickets and people."""
        return self._http

    # --- tickets ---------------------------------------------------------------------------------

    async def ticket(self, ticket_id: str) -> Answered[wire.TicketAnswer] | None:
        """The fields of one ticket."""
        request = Request(
            action="read ticket",
            template=_TICKET,
            parameters={"id": ticket_id},
            is_about_one_ticket=True,
        )
        return await self._of_one_ticket(request, wire.TicketAnswer)

    async def tickets(self, ticket_ids: Sequence[str]) -> Answered[wire.TicketRows]:
        """Up to a hundred tickets; missing ones are left out."""
        query = (("ids", ",".join(ticket_ids)),)
        request = Request(action="read tickets", template="/api/v2/tickets/show_many", query=query)
        return await self._read(request, wire.TicketRows)

    async def tickets_of(self, external_id: str) -> Answered[wire.TicketRows]:
        """The tickets that carry an external id; several may."""
        request = Request(
            action="look for ticket",
            template="/api/v2/tickets",
            query=(("external_id", external_id),),
        )
        return await self._read(request, wire.TicketRows)

    async def audits(
        self, ticket_id: str, *, after: str | None = None
    ) -> Answered[wire.AuditPage] | None:
        """A page of a ticket's updates with their comments and people, newest first."""
        query = [("include", "users"), ("page[size]", PAGE_SIZE), ("sort", "-created_at")]
        if after is not None:
            query.append(("page[after]", after))
        request = Request(
            action="read thread",
            template=f"{_TICKET}/audits",
            parameters={"id": ticket_id},
            query=tuple(query),
            is_about_one_ticket=True,
        )
        return await self._of_one_ticket(request, wire.AuditPage)

    async def newest_comments(self, ticket_id: str) -> Sequence[wire.CommentRow]:
        """The newest comments of a ticket, up to a hundred; none of a ticket that is gone."""
        request = Request(
            action="read back comment",
            template=f"{_TICKET}/comments",
            parameters={"id": ticket_id},
            query=(("page[size]", PAGE_SIZE), ("sort", "-created_at")),
            is_about_one_ticket=True,
        )
        answered = await self._of_one_ticket(request, wire.CommentRows)
        return [] if answered is None else answered.value.comments

    # --- the exports -----------------------------------------------------------------------------

    async def ticket_export(
        self, *, cursor: str | None, start_time: int
    ) -> Answered[wire.TicketExport]:
        """Tickets that changed after a cursor, or since a time where there is none yet."""
        place = ("start_time", str(start_time)) if cursor is None else ("cursor", cursor)
        request = Request(
            action="read ticket feed",
            template="/api/v2/incremental/tickets/cursor",
            query=(place, ("support_type_scope", "all")),
            buckets=(EXPORTS,),
        )
        return await self._read(request, wire.TicketExport)

    async def event_export(self, *, start_time: int) -> Answered[wire.EventExport]:
        """Updates with their comments from a time on, that second included."""
        request = Request(
            action="read event feed",
            template="/api/v2/incremental/ticket_events",
            query=(
                ("start_time", str(start_time)),
                ("include", "comment_events"),
                ("support_type_scope", "all"),
            ),
            buckets=(EXPORTS,),
        )
        return await self._read(request, wire.EventExport)

    # --- writes ----------------------------------------------------------------------------------

    async def create(self, body: bytes, *, key: str) -> Answered[wire.TicketAnswer]:
        """Create a ticket; the same key and bytes make no second one for two hours."""
        request = Request(
            action="create ticket",
            method="POST",
            template="/api/v2/tickets",
            body=body,
            headers=(("idempotency-key", key),),
        )
        return await self._write(request, wire.TicketAnswer)

    async def import_ticket(self, body: bytes) -> Answered[wire.TicketAnswer]:
        """Import a ticket with its history; nothing makes repeating it safe."""
        request = Request(
            action="import ticket",
            method="POST",
            template="/api/v2/imports/tickets",
            body=body,
        )
        try:
            return await self._write(request, wire.TicketAnswer)
        except Unauthorised as error:
            if error.status != _FORBIDDEN:
                raise
            raise Rejected(
                "only an admin may import tickets",
                connection=error.connection,
                action=error.action,
                status=error.status,
                request_id=error.request_id,
                hint="A silent creation needs an admin's credential; all else works without.",
            ) from error

    async def import_tickets(self, body: bytes) -> Answered[wire.JobAnswer]:
        """Have up to a hundred tickets imported by a job; nothing makes repeating it safe."""
        template = "/api/v2/imports/tickets/create_many"
        request = Request(action="import tickets", method="POST", template=template, body=body)
        return await self._write(request, wire.JobAnswer)

    async def update(self, ticket_id: str, body: bytes) -> Answered[wire.TicketAnswer]:
        """Update a ticket."""
        request = Request(
            action="update ticket",
            method="PUT",
            template=_TICKET,
            parameters={"id": ticket_id},
            body=body,
            buckets=(UPDATES,),
            is_about_one_ticket=True,
        )
        return await self._write(request, wire.TicketAnswer)

    async def update_tickets(self, body: bytes) -> Answered[wire.JobAnswer]:
        """Have up to a hundred tickets updated by a job, each under its own stamp."""
        template = "/api/v2/tickets/update_many"
        request = Request(action="update tickets", method="PUT", template=template, body=body)
        return await self._write(request, wire.JobAnswer)

    async def make_private(self, ticket_id: str, comment_id: str) -> None:
        """Make a comment private; doing it twice does no harm."""
        request = Request(
            action="make comment private",
            method="PUT",
            template=f"{_TICKET}/comments/{{comment_id}}/make_private",
            parameters={"id": ticket_id, "comment_id": comment_id},
            is_about_one_ticket=True,
        )
        # The answer is an empty text.
        await self._http.write(request, _nothing)

    # --- background jobs -------------------------------------------------------------------------

    async def jobs_of(self, job_ids: Sequence[str]) -> Sequence[wire.Job]:
        """Up to a hundred jobs; those that are not known any more are left out."""
        request = Request(
            action="read jobs",
            template="/api/v2/job_statuses/show_many",
            query=(("ids", ",".join(job_ids)),),
        )
        return (await self._read(request, wire.JobRows)).value.job_statuses

    async def jobs(self) -> Sequence[wire.Job]:
        """Every job that the account still tells of, at most the five hundred first ones."""
        request = Request(action="list jobs", template="/api/v2/job_statuses")
        rows = await self._pages(request, wire.JobRows, most=_MOST_JOB_PAGES)
        return [job for page in rows for job in page.job_statuses]

    # --- people and places -----------------------------------------------------------------------

    async def me(self) -> Answered[wire.UserAnswer]:
        """Who we are; a caller whom Zendesk does not know gets a user without an id, and 200."""
        request = Request(action="read own user", template="/api/v2/users/me")
        return await self._read(request, wire.UserAnswer)

    async def users(self, user_ids: Sequence[str]) -> Sequence[wire.User]:
        """Up to a hundred people, those who left included."""
        request = Request(
            action="read people",
            template="/api/v2/users/show_many",
            query=(("ids", ",".join(user_ids)), ("include_deleted", "true")),
        )
        return (await self._read(request, wire.UserRows)).value.users

    async def users_with_address(self, address: str) -> Sequence[wire.User]:
        """Whoever has that e-mail address."""
        request = Request(
            action="look for person",
            template="/api/v2/users/search",
            query=(("query", f"email:{address}"),),
        )
        return (await self._read(request, wire.UserRows)).value.users

    async def users_known_as(self, external_ids: Sequence[str]) -> Sequence[wire.User]:
        """Whoever has one of up to a hundred external ids."""
        request = Request(
            action="look for person",
            template="/api/v2/users/show_many",
            query=(("external_ids", ",".join(external_ids)),),
        )
        return (await self._read(request, wire.UserRows)).value.users

    async def create_user(self, body: bytes) -> wire.User:
        """Create a user; an external id that somebody has already is refused."""
        request = Request(
            action="create person", method="POST", template="/api/v2/users", body=body
        )
        return (await self._write(request, wire.UserAnswer)).value.user

    async def create_users(self, body: bytes) -> wire.Job | None:
        """Have up to a hundred users created by a job; None where the account does not allow it."""
        request = Request(
            action="create people", method="POST", template="/api/v2/users/create_many", body=body
        )
        try:
            return (await self._write(request, wire.JobAnswer)).value.job_status
        except Unauthorised as error:
            if error.status != _FORBIDDEN:
                raise
            return None

    async def groups(self) -> Sequence[wire.Named]:
        """The account's groups."""
        request = Request(action="read groups", template="/api/v2/groups")
        return [row for page in await self._pages(request, wire.GroupRows) for row in page.groups]

    async def brands(self) -> Sequence[wire.Named]:
        """The account's brands."""
        request = Request(action="read brands", template="/api/v2/brands")
        return [row for page in await self._pages(request, wire.BrandRows) for row in page.brands]

    async def forms(self) -> Sequence[wire.Named]:
        """The account's ticket forms; Zendesk allows three hundred and pages them if asked."""
        request = Request(action="read ticket forms", template="/api/v2/ticket_forms")
        return (await self._read(request, wire.FormRows)).value.ticket_forms

    async def custom_statuses(self) -> Sequence[wire.CustomStatus]:
        """Every custom status that is not deleted, inactive ones too; they are not paged."""
        request = Request(action="read custom statuses", template="/api/v2/custom_statuses")
        return (await self._read(request, wire.CustomStatusRows)).value.custom_statuses

    async def ticket_field(self, field_id: str) -> wire.TicketField:
        """One field of the account's tickets."""
        request = Request(
            action="read ticket field",
            template="/api/v2/ticket_fields/{id}",
            parameters={"id": field_id},
        )
        return (await self._read(request, wire.TicketFieldAnswer)).value.ticket_field

    async def ticket_fields(self) -> Sequence[wire.TicketField]:
        """All fields of the account's tickets, with the options of those that have any."""
        request = Request(action="read ticket fields", template="/api/v2/ticket_fields")
        rows = await self._pages(request, wire.TicketFieldRows)
        return [field for page in rows for field in page.ticket_fields]

    async def triggers(self) -> Sequence[wire.Rule]:
        """The account's active triggers."""
        rows = await self._pages(_rules("triggers"), wire.TriggerRows)
        return [rule for page in rows for rule in page.triggers]

    async def automations(self) -> Sequence[wire.Rule]:
        """The account's active automations."""
        rows = await self._pages(_rules("automations"), wire.AutomationRows)
        return [rule for page in rows for rule in page.automations]

    async def token_info(self) -> wire.TokenInfo:
        """What the access token in use may do."""
        request = Request(action="read own token", template="/api/v2/oauth/tokens/current")
        return (await self._read(request, wire.TokenInfoAnswer)).value.token

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
        if self._tokens is not None:
            await self._tokens.close()

    # --- files -----------------------------------------------------------------------------------

    async def attachment(self, attachment_id: str) -> wire.Attachment | None:
        """What is known of a file, such as whether it was scanned."""
        request = Request(
            action="read attachment",
            template="/api/v2/attachments/{id}",
            parameters={"id": attachment_id},
            is_about_one_ticket=True,
        )
        answered = await self._of_one_ticket(request, wire.AttachmentAnswer)
        return None if answered is None else answered.value.attachment

    async def upload(
        self, name: str, content_type: str, content: AsyncIterable[bytes], *, size: int | None
    ) -> str:
        """Give a file ahead of its comment; the token by which a comment takes it."""
        request = Request(
            action="upload file",
            method="POST",
            template="/api/v2/uploads",
            query=(("filename", name),),
            content=content,
            content_type=content_type,
            headers=() if size is None else (("content-length", str(size)),),
            timeout_seconds=UPLOAD_SECONDS,
        )
        return (await self._write(request, wire.UploadAnswer)).value.upload.token

    def downloads(self, hosts: Sequence[str]) -> Downloads:
        """The way to the contents of files."""
        return self._http.downloads(hosts, bucket=CONTENT)

    # --- sending ---------------------------------------------------------------------------------

    async def _read(self, request: Request, kind: type[T]) -> Answered[T]:
        answered = await self._http.read(request, partial(_decode, kind))
        self._warnings.heed(request, answered.headers)
        return answered

    async def _pages(
        self, request: Request, kind: type[P], *, most: int = MOST_PAGES
    ) -> Sequence[P]:
        """Every page of a listing."""
        read = await pages(request, lambda each: self._read(each, kind), most=most)
        return [page.value for page in read]

    async def _write(self, request: Request, kind: type[T]) -> Answered[T]:
        answered = await self._http.write(request, partial(_decode, kind))
        self._warnings.heed(request, answered.headers)
        return answered

    async def _of_one_ticket(self, request: Request, kind: type[T]) -> Answered[T] | None:
        try:
            return await self._read(request, kind)
        except Gone:
            return None


def _rules(kind: str) -> Request:
    return Request(action=f"read {kind}", template=f"/api/v2/{kind}", query=(("active", "true"),))


def _nothing(body: bytes) -> None:
    del body


def _decode(kind: type[T], body: bytes) -> T:
    return wire.decode(body, kind)
