"""Read a ticket's thread from its audits: comments, who wrote them, and which update did what.

One listing gives comments, field changes and people, newest first, so reading "since a moment" is
usually one page. What it proves: every update from the moment asked for up to the second before the
desk's clock when the first page was made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from connectors.http import Answered
from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.mapping import (
    Update,
    comments_of,
    mended_in,
    merged_into,
    people_in,
    redacted_in,
    second_of,
    status_update_of,
    to_update,
)
from connectors.zendesk.people import People
from syncd.core.errors import Unintelligible
from syncd.core.model import Audience, Comment, CommentId, ConnectionName, Sighting, Span, TicketId

#: 5,000 comments and ten times as many changes of fields.
_MOST_PAGES = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """A ticket's updates, oldest first, and the stretch for which they are complete."""

    updates: tuple[Update, ...]
    covers: Span | None


class ThreadReader:
    """Reads threads of one account."""

    def __init__(
        self,
        name: ConnectionName,
        client: ZendeskClient,
        people: People,
        statuses: CustomStatuses,
    ) -> None:
        self._name = name
        self._client = client
        self._people = people
        self._statuses = statuses

    async def updates(
        self, ticket_id: TicketId, *, since: int, holding: Iterable[CommentId] = ()
    ) -> Thread | None:
        """The updates from second `since` on, and so many older ones that `holding` are found.

        A comment that an update mended (made private, redacted) is looked for as well.
        None when there is no such ticket. Raises what a read may raise.
        """
        sought = set(holding)
        found: set[CommentId] = set()
        updates: list[Update] = []
        first: Answered[wire.AuditPage] | None = None
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._client.audits(ticket_id, after=after)
            if page is None:
                return None
            first = first or page
            self._people.remember(page.value.users)
            new = self._read(page.value.audits)
            updates += new
            for update in new:
                sought |= mended_in(update) - {CommentId("")}
                found |= {CommentId(str(e.id)) for e in update.audit.events}
            meta = page.value.meta
            if meta is None or not meta.has_more:
                return Thread(updates=tuple(updates[::-1]), covers=_covers(first, after=0))
            if any(update.second < since for update in new) and sought <= found:
                return Thread(updates=tuple(updates[::-1]), covers=_covers(first, after=since))
            if meta.after_cursor is None or meta.after_cursor == after:
                break
            after = meta.after_cursor
        raise Unintelligible("the pages have no end", connection=self._name, action="read thread")

    def _read(self, audits: Sequence[wire.Audit]) -> list[Update]:
        try:
            return [to_update(audit) for audit in audits]
        except ValueError:
            raise Unintelligible(
                "an update without a readable time", connection=self._name, action="read thread"
            ) from None

    async def sighting(
        self, ticket_id: TicketId, *, since: int, holding: Iterable[CommentId] = ()
    ) -> Sighting | None:
        """The thread as a sighting; None when there is no such ticket."""
        thread = await self.updates(ticket_id, since=since, holding=holding)
        if thread is None:
            return None
        given = [status_update_of(update, self._statuses.names) for update in thread.updates]
        return Sighting(
            ticket_id=ticket_id,
            comments=await self.comments(thread.updates),
            covers=thread.covers,
            is_read=True,
            status_update=next((update for update in reversed(given) if update), None),
            merged_into=merged_into(thread.updates),
        )

    async def comments(self, updates: Sequence[Update]) -> tuple[Comment, ...]:
        """The comments of some updates, as later ones left them: made private, redacted."""
        people = await self._people.resolve(people_in(updates))
        narrowed = {
            str(event.comment_id)
            for update in updates
            for event in update.audit.events
            if event.type == "CommentPrivacyChange" and event.public is not True
        }
        redacted = frozenset[str]().union(*(redacted_in(update) for update in updates))
        return tuple(
            replace(
                _narrowed(comment) if comment.comment_id in narrowed else comment,
                is_redacted=comment.is_redacted or comment.comment_id in redacted,
            )
            for update in updates
            for comment in comments_of(update, people)
        )


def _narrowed(comment: Comment) -> Comment:
    """The comment as it is since it was made private, whichever its own update shows."""
    if comment.audience is Audience.LOCAL:
        return comment
    return replace(comment, audience=Audience.SHARED, was_public=True)


def _covers(first: Answered[wire.AuditPage], *, after: int) -> Span | None:
    if first.date is None:
        return None
    # The page was made before it was dated; a slow answer may be older by whole seconds.
    to = second_of(first.date) - math.floor(first.elapsed_seconds) - 1
    return Span(after=after, to=to) if to >= after else None
