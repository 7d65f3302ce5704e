"""A comment that is too long for a desk, in numbered parts that are not.

No word is lost and none changes places.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from syncd.core.lines import plain_text
from syncd.core.notes import part_marker

_MARKER_ROOM = 512


def split_html(html: str, limit: int, language: str) -> tuple[str, ...]:
    """The HTML whole if it fits into `limit` bytes, else its text in numbered parts that do.

    Markup is given up rather than any word: a cut inside a tag would lose more.
    `limit` leaves room for a line of text: at least 1,000 bytes.
    """
    if len(html.encode()) <= limit:
        return (html,)
    room = limit - _MARKER_ROOM
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
    # Six bytes is the longest escape of one ASCII character (&quot;), four the longest other one.
    width = max(1, (room - len("<p></p>")) // 6)
    for line in text.splitlines():
        pieces.extend(f"<p>{escape(chunk)}</p>" for chunk in _chunks(line, width) if chunk)
    return pieces


def _chunks(line: str, width: int) -> Iterator[str]:
    """Stretches of a line of at most `width` characters, cut between words where there are any."""
    start = 0
    while len(line) - start > width:
        blank = line.rfind(" ", start + width // 2, start + width)
        end = start + width if blank < 0 else blank + 1
        yield line[start:end]
        start = end
    yield line[start:]
