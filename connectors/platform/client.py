"""The platform's operations that are used, each as one typed call; `mapping` knows what they mean.

Every call may raise `Unreachable`, `RateLimited`, `Unauthorised` or `Unintelligible`; a missing
ticket is None.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import httpx
from msgspec import Raw

from connectors.http import (
    Downloads,
    Explanation,
    FixedCredential,
    HttpClient,
    Meaning,
    OnRequest,
    Request,
)
from connectors.platform import wire
from syncd.core.errors import Gone, Refusal, Unintelligible
from syncd.ports import Budget, Clock

#: Comments may have a mebibyte each: this many still fit into the largest answer that is read.
UPDATES_PER_PAGE = 50
TICKETS_PER_PAGE = 100
#: Servers in the way commonly refuse addresses beyond 8 KiB.
LONGEST_ID_LIST = 4000
#: For one file over a slow line.
UPLOAD_SECONDS = 240.0

#: Conflicts that no fresh look at the ticket would end; races have 412.
_LASTING_CONFLICTS = frozenset({"update_id_reused", "not_in_view"})

#: Codes that say more than their status.
_MEANINGS = {"attachment_unknown": Meaning.SPENT, "attachment_id_reused": Meaning.REJECTED}

_HINTS = {
    "token_invalid": "Put a valid token into the connection's `token`.",
    "scope_missing": "Give the token the scopes tickets:read and tickets:write on the platform, and"
    " webhooks where syncd looks after its webhook.",
    "view_not_allowed": "Give the token the link's view on the platform, or mend the link's view.",
    "update_id_reused": "The platform holds another write under this id, as after a restored"
    " backup: compare the two tickets, then `syncd retry PAIR`.",
    "not_in_view": "The ticket has left the token's views, so its status is for the platform's"
    " staff: let them escalate it again, or set the status there, then `syncd retry PAIR`.",
    "too_many_tags": "The platform's ticket has 200 tags: remove some, then `syncd retry PAIR`.",
    "body_blank": "Nothing readable is left of the comment after the platform cleaned its HTML.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """A ticket and all of its updates after version `after`, ending at the ticket's version."""

    ticket: wire.Ticket
    updates: tuple[wire.Update, ...]
    after: int


class PlatformClient:
    """One token's way to a platform. Safe to use from many tasks."""

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        token: str,
        budget: Budget,
        clock: Clock,
        timeout_seconds: float,
        on_request: OnRequest | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = HttpClient(
            connection=connection,
            base_url=base_url,
            budget=budget,
            clock=clock,
            timeout_seconds=timeout_seconds,
            credential=FixedCredential(f"Bearer {token}"),
            explain=explain,
            on_request=on_request,
            transport=transport,
        )

    async def me(self) -> wire.Me:
        """Who the token is."""
        request = Request(action="read account", template="/me")
        return (await self._http.read(request, partial(wire.read, wire.Me))).value

    async def ticket(self, ticket_id: str) -> wire.Ticket | None:
        """One ticket as it is now."""
        request = Request(
            action="read ticket",
            template="/tickets/{ticket_id}",
            parameters={"ticket_id": ticket_id},
            is_about_one_ticket=True,
        )
        decode = partial(wire.read_ticket_answer, ticket_id=ticket_id)
        try:
            return (await self._http.read(request, decode)).value
        except Gone:
            return None

    async def requester_address(self, ticket_id: str) -> str | None:
        """The requester's address; None where the token may not see it, or there is none."""
        request = Request(
            action="read requester",
            template="/tickets/{ticket_id}",
            parameters={"ticket_id": ticket_id},
            is_about_one_ticket=True,
        )
        decode = partial(wire.read_address_answer, ticket_id=ticket_id)
        try:
            return (await self._http.read(request, decode)).value
        except Gone:
            return None

    async def thread(self, ticket_id: str, *, after: int) -> Thread | None:
        """The ticket's updates after a version, all of them, with the ticket of the last page."""
        updates: list[wire.Update] = []
        while True:
            reached = after + len(updates)
            try:
                page = await self._update_page(ticket_id, after=reached)
            except Gone:
                return None
            updates += page.updates
            if not page.more:
                return Thread(ticket=page.ticket, updates=tuple(updates), after=after)

    async def batch(self, ticket_ids: Sequence[str]) -> Sequence[Raw]:
        """The tickets of these ids that exist; one request for each hundred."""
        found: list[Raw] = []
        for ids in _id_lists(ticket_ids):
            request = Request(
                action="read tickets", template="/tickets:batch", query=(("ids", ids),)
            )
            decode = partial(wire.read, wire.TicketBatch)
            found += (await self._http.read(request, decode)).value.tickets
        return found

    async def ticket_page(
        self,
        *,
        cursor: str | None,
        view: str | None = None,
        since: datetime | None = None,
        has_threads: bool = False,
    ) -> wire.TicketPage:
        """A page of the tickets in a view now, or of all that ever were in one of ours.

        Oldest first; `since` leaves out those that were last updated before. `has_threads` asks for
        their updates as well; a platform may leave any out.
        """
        query = [("limit", str(TICKETS_PER_PAGE))]
        if has_threads:
            query.append(("include", "updates"))
        if view is not None:
            query.append(("view", view))
        if since is not None:
            moment = since.astimezone(UTC).isoformat().replace("+00:00", "Z")
            query.append(("updated_since", moment))
        if cursor is not None:
            query.append(("cursor", cursor))
        request = Request(action="list tickets", template="/tickets", query=tuple(query))
        decode = partial(wire.read_ticket_page, asked=cursor)
        return (await self._http.read(request, decode)).value

    async def change_page(self, cursor: str | None) -> wire.ChangePage:
        """A page of the change feed; without a cursor an empty one that tells where now is.

        A cursor that the platform does not know is `Unintelligible` with status 400.
        """
        query = [("limit", str(UPDATES_PER_PAGE))]
        if cursor is not None:
            query.append(("cursor", cursor))
        request = Request(action="read changes", template="/changes", query=tuple(query))
        return (await self._http.read(request, partial(wire.read, wire.ChangePage))).value

    async def put_update(
        self, ticket_id: str, update_id: str, update: wire.NewUpdate, *, if_match: str | None
    ) -> wire.UpdateAnswer:
        """Send one write, once.

        Further raises `OutcomeUnknown`, `Stale`, `Rejected` and `Gone`.
        """
        request = Request(
            action="write update",
            method="PUT",
            template="/tickets/{ticket_id}/updates/{update_id}",
            parameters={"ticket_id": ticket_id, "update_id": update_id},
            body=wire.write(update),
            headers=() if if_match is None else (("if-match", if_match),),
            is_about_one_ticket=True,
        )
        decode = partial(wire.read_update_answer, ticket_id=ticket_id, update_id=update_id)
        return (await self._http.write(request, decode)).value

    async def webhook(self, webhook_id: str) -> wire.Webhook | None:
        """A webhook of this token's; None when there is none, or the platform has none at all."""
        request = Request(
            action="read webhook",
            template="/webhooks/{webhook_id}",
            parameters={"webhook_id": webhook_id},
        )
        try:
            answer = await self._http.read(request, partial(wire.read, wire.WebhookAnswer))
        except Unintelligible as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
            return None
        return answer.value.webhook

    async def put_webhook(self, webhook_id: str, webhook: wire.NewWebhook) -> None:
        """Create or replace a webhook; further raises `OutcomeUnknown` and `Rejected`."""
        request = Request(
            action="put webhook",
            method="PUT",
            template="/webhooks/{webhook_id}",
            parameters={"webhook_id": webhook_id},
            body=wire.write(webhook),
        )
        await self._http.write(request, partial(wire.read, wire.WebhookAnswer))

    async def attachment(self, attachment_id: str) -> wire.Attachment | None:
        """What is known of a file."""
        request = Request(
            action="read attachment",
            template="/attachments/{attachment_id}",
            parameters={"attachment_id": attachment_id},
            is_about_one_ticket=True,
        )
        try:
            answered = await self._http.read(request, partial(wire.read, wire.AttachmentAnswer))
        except Gone:
            return None
        return answered.value.attachment

    async def put_attachment(
        self,
        attachment_id: str,
        name: str,
        content_type: str,
        content: AsyncIterable[bytes],
        *,
        size: int | None,
    ) -> wire.Attachment:
        """Give a file ahead of its comment; the same id and bytes make no second one."""
        request = Request(
            action="write attachment",
            method="PUT",
            template="/attachments/{attachment_id}/content",
            parameters={"attachment_id": attachment_id},
            query=(("name", name),),
            content=content,
            content_type=content_type,
            headers=() if size is None else (("content-length", str(size)),),
            timeout_seconds=UPLOAD_SECONDS,
        )
        answered = await self._http.write(request, partial(wire.read, wire.AttachmentAnswer))
        return answered.value.attachment

    def downloads(self, hosts: Sequence[str]) -> Downloads:
        """The way to the contents of files."""
        return self._http.downloads(hosts)

    async def close(self) -> None:
        """Close the connection pool."""
        await self._http.close()

    async def _update_page(self, ticket_id: str, *, after: int) -> wire.UpdatePage:
        request = Request(
            action="read thread",
            template="/tickets/{ticket_id}/updates",
            parameters={"ticket_id": ticket_id},
            query=(("after_version", str(after)), ("limit", str(UPDATES_PER_PAGE))),
            is_about_one_ticket=True,
        )
        decode = partial(wire.read_update_page, ticket_id=ticket_id, after=after)
        return (await self._http.read(request, decode)).value


def explain(status: int, body: bytes) -> Explanation:
    """What an error body adds to its status: the code, the place, and our words for it."""
    try:
        error = wire.read(wire.ErrorAnswer, body).error
    except wire.NotAsDocumented:
        return Explanation()
    place = error.field or ""
    is_lasting = status == httpx.codes.CONFLICT and error.code in _LASTING_CONFLICTS
    # One link's view, named inside a write, says nothing against the other links of the token.
    is_one_links = status == httpx.codes.FORBIDDEN and error.code == "view_not_allowed"
    is_one_links = is_one_links and "views" in place.split(".")
    return Explanation(
        code=error.code,
        fields=(place,) if place else (),
        hint=_HINTS.get(error.code, ""),
        meaning=_MEANINGS.get(error.code)
        or (Meaning.REJECTED if is_lasting or is_one_links else None),
        refusal=Refusal.STATUS if place == "status" else Refusal.OTHER,
    )


def _id_lists(ticket_ids: Sequence[str]) -> Iterator[str]:
    ids: list[str] = []
    size = 0
    for ticket_id in dict.fromkeys(ticket_ids):
        if len(ids) == TICKETS_PER_PAGE or size + len(ticket_id) > LONGEST_ID_LIST:
            yield ",".join(ids)
            ids, size = [], 0
        ids.append(ticket_id)
        size += len(ticket_id) + 1
    if ids:
        yield ",".join(ids)
