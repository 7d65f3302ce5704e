"""What the partner's ticket is opened with: the first message, or the whole history at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from syncd.core.capabilities import Capabilities
from syncd.core.draft import draft_copy, draft_digest
from syncd.core.model import Comment, Side
from syncd.core.operations import Draft
from syncd.core.policy import LinkPolicy


def opening(
    comments: Sequence[Comment],
    *,
    is_silent: bool,
    url: str,
    policy: LinkPolicy,
    capabilities: Capabilities,
) -> tuple[Draft, ...]:
    """The copies in a creation, for the comments that may travel, of which there is one at least.

    An ordinary one holds the first message; the parts of one that is too long follow like any other
    comment. A silent one holds all, the oldest as a digest where the ticket has no place for each.
    """

    def copied(comment: Comment) -> tuple[Draft, ...]:
        return draft_copy(comment, Side.PARTNER, policy=policy, capabilities=capabilities)

    if not is_silent:
        return copied(comments[0])[:1]
    copies = [copied(comment) for comment in comments]
    older = _too_many(copies, capabilities.max_comments)
    newer = [draft for drafts in copies[older:] for draft in drafts]
    if not older:
        return tuple(newer)
    group = tuple(comments[:older])
    digest = draft_digest(group, Side.PARTNER, url=url, policy=policy, capabilities=capabilities)
    return (replace(digest, occurred_at=group[-1].created_at), *newer)


def _too_many(copies: list[tuple[Draft, ...]], limit: int | None) -> int:
    """How many of the oldest comments a ticket has no place for.

    A tenth of its places is kept for what people will still write, and for notes.
    """
    if limit is None:
        return 0
    room = limit - limit // 10
    for older in range(len(copies), 0, -1):
        room -= len(copies[older - 1])
        if room < 0:
            return older
    return 0
