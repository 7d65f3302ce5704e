"""Comments ready to be written: copies with their attribution, notes in the link's language.

Visibility is decided here and nowhere else: a draft is public only if the comment it copies is.
"""

from __future__ import annotations

from html import escape

from syncd.core.lines import plain_text
from syncd.core.model import Audience, Capabilities, Comment, CommentId, OwedNote, Side
from syncd.core.notes import (
    AttachmentReason,
    Note,
    NoteKind,
    attachment_placeholder,
    attribution,
    note,
    part_marker,
    render,
)
from syncd.core.operations import Draft
from syncd.core.policy import LinkPolicy


def draft_copy(
    comment: Comment, target: Side, *, policy: LinkPolicy, capabilities: Capabilities
) -> tuple[Draft, ...]:
    """The drafts that carry one comment to `target`: one, or several parts where its limit asks for it.

    The last part stands for the comment; those before it are notes with keys of their own, so that a run
    cut short between two parts goes on with the next.
    """
    html = comment_html(comment, policy=policy, capabilities=capabilities)
    audience = Audience.PUBLIC if comment.audience is Audience.PUBLIC else Audience.SHARED
    parts = split_html(html, capabilities.max_body_bytes, policy.language)
    last = len(parts)
    return tuple(
        Draft(
            html=part,
            audience=audience,
            view=_view(audience, policy, capabilities),
            author=comment.author,
            occurred_at=comment.created_at,
            source_id=comment.comment_id if number == last else None,
            note_key=None if number == last else part_key(comment.comment_id, target, number),
        )
        for number, part in enumerate(parts, start=1)
    )


def part_key(comment_id: CommentId, target: Side, number: int) -> str:
    """What makes one part of a long comment once-only."""
    return f"part:{comment_id}:{number}@{target.value}"


def comment_html(comment: Comment, *, policy: LinkPolicy, capabilities: Capabilities) -> str:
    """The comment's body with one attribution line where the desk cannot hold author or time,
    and a placeholder for each file that does not travel."""
    pieces = []
    if not (capabilities.keeps_author and capabilities.keeps_time):
        author = comment.author
        pieces.append(attribution(policy.language, author.name, author.role, comment.created_at))
    pieces.append(comment.html or "")
    pieces.extend(
        attachment_placeholder(
            policy.language, file.name, file.size, file.url, AttachmentReason.NOT_CARRIED
        )
        for file in comment.attachments
    )
    return "".join(pieces)


def draft_note(owed: OwedNote, *, policy: LinkPolicy, capabilities: Capabilities) -> Draft:
    """A note of ours: never public."""
    due = Note(NoteKind(owed.kind), owed.facts, owed.rows)
    return Draft(
        html=render(due, policy.language, policy.wording),
        audience=Audience.SHARED,
        view=_view(Audience.SHARED, policy, capabilities),
        note_key=owed.key,
    )


def draft_digest(
    comments: tuple[Comment, ...],
    key: str,
    *,
    url: str,
    policy: LinkPolicy,
    capabilities: Capabilities,
) -> Draft:
    """Older history as one private note; where it would be too long, each comment's first lines stand for it."""
    due = note(NoteKind.DIGEST, platform=policy.platform_name, count=len(comments), url=url)
    header = render(due, policy.language, policy.wording)
    bare = Capabilities(max_body_bytes=capabilities.max_body_bytes)
    full = [comment_html(c, policy=policy, capabilities=bare) for c in comments]
    room = capabilities.max_body_bytes - len(header.encode())
    if sum(len(entry.encode()) for entry in full) > room:
        full = [_shortened(c, room // len(comments), policy) for c in comments]
    return Draft(
        html=header + "".join(full),
        audience=Audience.SHARED,
        view=_view(Audience.SHARED, policy, capabilities),
        note_key=key,
        digested_ids=tuple(c.comment_id for c in comments),
    )


def _shortened(comment: Comment, room: int, policy: LinkPolicy) -> str:
    line = attribution(
        policy.language, comment.author.name, comment.author.role, comment.created_at
    )
    text = plain_text(comment.html or "")
    # Escaping makes at most six bytes of one character's byte, and a character has at most four.
    budget = max(0, (room - len(line.encode()) - 32) // 6)
    cut = text.encode()[:budget].decode(errors="ignore")
    return f"{line}<p>{escape(cut)} …</p>"


def _view(audience: Audience, policy: LinkPolicy, capabilities: Capabilities) -> str | None:
    if audience is Audience.PUBLIC or not capabilities.has_views:
        return None
    return policy.view


def split_html(html: str, limit: int, language: str) -> tuple[str, ...]:
    """The HTML whole if it fits into `limit` bytes, else its text in numbered parts that do.

    Markup is given up rather than any word: a cut inside a tag would lose more.
    """
    if len(html.encode()) <= limit:
        return (html,)
    room = limit - 512
    parts: list[list[str]] = [[]]
    used = 0
    for piece in _pieces(plain_text(html), room):
        size = len(piece.encode())
        if used + size > room:
            parts.append([])
            used = 0
        parts[-1].append(piece)
        used += size
    total = len(parts)
    return tuple(
        part_marker(language, number, total) + "".join(part)
        for number, part in enumerate(parts, start=1)
    )


def _pieces(text: str, room: int) -> list[str]:
    """Paragraphs of escaped text, none longer than `room` bytes."""
    pieces: list[str] = []
    # Six bytes is the longest escape of one ASCII character (&quot;), four the longest other character.
    width = max(1, (room - len("<p></p>")) // 6)
    for line in text.splitlines():
        chunks = (line[start : start + width] for start in range(0, len(line), width))
        pieces.extend(f"<p>{escape(chunk)}</p>" for chunk in chunks)
    return pieces
