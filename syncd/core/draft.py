"""Comments ready to be written: copies with their attribution, notes in the link's language.

Visibility is decided here and nowhere else: a draft is public only if the comment it copies is.
No draft is longer than its desk can hold, and none holds a character that no desk can.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from syncd.core.agreed import OwedNote
from syncd.core.attachment import Attachment, AttachmentReason
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import luggage, placeholder_bytes, placeholders
from syncd.core.lines import plain_text
from syncd.core.model import Audience, Comment, CommentId, Person, Side
from syncd.core.notes import (
    Note,
    NoteKind,
    attribution,
    note,
    render,
    with_audience,
    with_links_told,
)
from syncd.core.operations import Draft
from syncd.core.person_key import person_key
from syncd.core.piece import prefix_length, weight
from syncd.core.policy import LinkPolicy
from syncd.core.split import split_html

# JSON can bring halves of characters, and a null byte, that no request can carry further.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
# In a digest that is too long, no comment is shown with less room than this, in bytes.
_LEAST_ENTRY = 400
_OMITTED = "<p>…</p>"


def draft_copy(
    comment: Comment, target: Side, *, policy: LinkPolicy, capabilities: Capabilities
) -> tuple[Draft, ...]:
    """The drafts that carry one comment to `target`: one, or several parts if it is too long.

    The last part stands for the comment; those before it are notes with keys of their own, so that
    a run cut short between two parts goes on with the next.
    """
    files = luggage(comment, target, policy=policy, capabilities=capabilities)
    html = comment_html(comment, policy=policy, capabilities=capabilities, left=files.left)
    line = attribution_line(comment, policy=policy, capabilities=capabilities)
    platform, partner = (policy.connections[side] for side in Side)
    key = person_key(platform, partner, comment.author) if target is Side.PARTNER else ""
    audience = Audience.PUBLIC if comment.audience is Audience.PUBLIC else Audience.SHARED
    # What will have to be said of files that do not make it must fit as well.
    kept = sum(placeholder_bytes(file.file, policy) for file in files.wanted)
    parts = split_html(html, capabilities.max_body_bytes - kept, policy.language)
    last = len(parts)
    return tuple(
        Draft(
            html=part,
            audience=audience,
            view=_view(audience, policy, capabilities),
            author=writable_person(comment.author),
            occurred_at=comment.created_at,
            author_key=key,
            attribution=line if part.startswith(line) else "",
            source_id=comment.comment_id if number == last else None,
            note_key=None if number == last else part_key(comment.comment_id, target, number),
            files=files.wanted if number == last else (),
            is_redacted=comment.is_redacted,
        )
        for number, part in enumerate(parts, start=1)
    )


def part_key(comment_id: CommentId, target: Side, number: int) -> str:
    """What makes one part of a long comment once-only."""
    return f"part:{comment_id}:{number}@{target.value}"


def part_source(key: str) -> CommentId:
    """The comment that the key of a part or of a late file names; else an id that none has."""
    word, _, rest = key.partition(":")
    return CommentId(rest.rpartition(":")[0] if word in {"part", "file"} else "")


def digest_key(first: Comment, last: Comment, target: Side) -> str:
    """What makes a digest of older history once-only."""
    return f"digest:{first.comment_id}:{last.comment_id}@{target.value}"


def writable(text: str) -> str:
    """The text without null bytes and halves of characters."""
    return _UNWRITABLE.sub("\ufffd", text)


def writable_person(person: Person) -> Person:
    """The person under a name that every desk can be sent."""
    return replace(person, name=writable(person.name))


def writable_draft(draft: Draft) -> Draft:
    """The draft in characters that every desk can be sent."""
    author = writable_person(draft.author) if draft.author is not None else None
    return replace(draft, html=writable(draft.html), author=author)


def comment_html(
    comment: Comment,
    *,
    policy: LinkPolicy,
    capabilities: Capabilities,
    left: Sequence[tuple[Attachment, AttachmentReason]] | None = None,
) -> str:
    """The comment's body with what its desk-to-be cannot hold otherwise.

    That is one attribution line for author or time, and a placeholder for each file in `left`; for
    all of its files where that is not given.
    """
    if left is None:
        left = [(file, AttachmentReason.NOT_CARRIED) for file in comment.attachments]
    pieces = [attribution_line(comment, policy=policy, capabilities=capabilities)]
    pieces.append(with_links_told(comment.html or "", policy.language))
    pieces.extend(placeholders(left, policy))
    return writable("".join(pieces))


def attribution_line(comment: Comment, *, policy: LinkPolicy, capabilities: Capabilities) -> str:
    """Who wrote it and when, in the link's words; empty for a desk that stores both."""
    if capabilities.keeps_author and capabilities.keeps_time:
        return ""
    author, at = comment.author, comment.created_at
    return writable(attribution(policy.language, author.name, author.role, at, policy.wording))


def draft_note(owed: OwedNote, *, policy: LinkPolicy, capabilities: Capabilities) -> Draft:
    """A note of ours: never public. A table too long for the desk loses its last rows."""
    rows = owed.rows
    html = _rendered(owed, rows, policy)
    while rows and weight(html) > capabilities.max_body_bytes:
        rows = rows[: len(rows) // 2]
        html = _rendered(owed, rows, policy)
    return Draft(
        html=html,
        audience=Audience.SHARED,
        view=_view(Audience.SHARED, policy, capabilities),
        note_key=owed.key,
    )


def _rendered(owed: OwedNote, rows: tuple[tuple[str, str], ...], policy: LinkPolicy) -> str:
    due = Note(NoteKind(owed.kind), owed.facts, rows)
    return writable(render(due, policy.language, policy.wording))


def draft_digest(
    comments: tuple[Comment, ...],
    target: Side,
    *,
    url: str,
    policy: LinkPolicy,
    capabilities: Capabilities,
) -> Draft:
    """Older history as one private note.

    Where it would be too long, each comment's first lines stand for it; where even those are too
    many, the newest are shown and the rest counted.
    """
    due = note(NoteKind.DIGEST, platform=policy.platform_name, count=len(comments), url=url)
    header = writable(render(due, policy.language, policy.wording))
    # The line above each entry says more than an attribution: this desk needs none besides.
    headed = Capabilities(keeps_author=True, keeps_time=True)
    entries = [
        _heading(comment, policy) + comment_html(comment, policy=policy, capabilities=headed)
        for comment in comments
    ]
    room = capabilities.max_body_bytes - weight(header)
    if sum(map(weight, entries)) > room:
        entries = _fitted(comments, room, policy)
    return Draft(
        html=header + "".join(entries),
        audience=Audience.SHARED,
        view=_view(Audience.SHARED, policy, capabilities),
        note_key=digest_key(comments[0], comments[-1], target),
        digested_ids=tuple(c.comment_id for c in comments),
    )


def _fitted(comments: tuple[Comment, ...], room: int, policy: LinkPolicy) -> list[str]:
    left = room - weight(_OMITTED)
    each = max(left // len(comments), _LEAST_ENTRY)
    entries: list[str] = []
    for comment in reversed(comments):
        entry = _shortened(comment, each, policy)
        left -= weight(entry)
        if left < 0:
            entries.append(_OMITTED)
            break
        entries.append(entry)
    return entries[::-1]


def _heading(comment: Comment, policy: LinkPolicy) -> str:
    """Author, time and audience of a comment in a digest."""
    line = attribution_line(comment, policy=policy, capabilities=Capabilities())
    is_public = comment.audience is Audience.PUBLIC
    return with_audience(line, policy.language, is_public=is_public)


def _shortened(comment: Comment, room: int, policy: LinkPolicy) -> str:
    line = _heading(comment, policy)
    text = writable(plain_text(comment.html or ""))
    cut = text[: prefix_length(text, room - weight(f"{line}<p> …</p>"))]
    return f"{line}<p>{escape(cut, quote=False)} …</p>"


def _view(audience: Audience, policy: LinkPolicy, capabilities: Capabilities) -> str | None:
    if audience is Audience.PUBLIC or not capabilities.has_views:
        return None
    return policy.view
