"""A ticket as a desk shows it, brought into one form for both desks, to be read and compared.

Made from the desks' own state by somebody who knows nothing of the daemon but how its copies look:
one attribution line above the text where the desk cannot keep author and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, Literal

#: A JSON object as a sandbox shows it.
Json = Mapping[str, Any]
DeskName = Literal["platform", "partner"]
#: Who put a comment there: a person of that desk, or the daemon, as a copy or as a note of its own.
Origin = Literal["person", "copy", "note"]

_ATTRIBUTION = re.compile(
    r"(?P<name>.+?)\s?(?:[(（](?P<role>[^()（）]+)[)）])?[,、]\s?"
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC"
)
_BREAKS = frozenset({"p", "div", "br", "li", "ul", "ol", "blockquote", "pre", "tr", "table"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """One comment; for a copy, `author` and `written_at` are the original's."""

    comment_id: str
    origin: Origin
    author: str
    #: Copies on the partner's desk tell it to the minute.
    written_at: datetime
    is_public: bool
    #: The platform's views that may read a private comment; None on the partner's desk.
    views: frozenset[str] | None
    #: What a reader sees, one line a block, without the attribution line.
    text: str
    #: Names the update that brought it, with everything else that the update changed.
    update_id: str
    #: Names and sizes in bytes.
    files: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One ticket on one desk."""

    desk: DeskName
    ticket_id: str
    url: str
    subject: str
    status: str
    tags: frozenset[str]
    #: Empty on the partner's desk.
    views: frozenset[str]
    requester: str
    comments: tuple[Comment, ...]
    #: What the platform knows of the customer's resource, and since when; the partner has none.
    metadata: tuple[tuple[str, str], ...] = ()
    metadata_as_of: datetime | None = None

    def count(self, text: str) -> int:
        """How many comments hold the text."""
        return sum(text in comment.text for comment in self.comments)

    def find(self, text: str) -> Comment | None:
        """The first comment that holds the text."""
        return next((comment for comment in self.comments if text in comment.text), None)

    def notes(self) -> tuple[Comment, ...]:
        """What the daemon wrote of its own."""
        return tuple(comment for comment in self.comments if comment.origin == "note")


def platform_snapshot(ticket: Json) -> Snapshot:
    """A ticket of the platform's state."""
    return Snapshot(
        desk="platform",
        ticket_id=ticket["id"],
        url=ticket["url"],
        subject=ticket["subject"],
        status=ticket["status"],
        tags=frozenset(ticket["tags"]),
        views=frozenset(ticket["views"]),
        requester=ticket["requester"]["name"],
        comments=tuple(_platform_comment(comment) for comment in ticket["comments"]),
        metadata=tuple(ticket["metadata"].items()),
        metadata_as_of=time_of(ticket["metadata_as_of"]) if ticket["metadata_as_of"] else None,
    )


def _platform_comment(comment: Json) -> Comment:
    origin: Origin = "person"
    if comment["actor"]["role"] == "integration":
        origin = "note" if comment["author"]["role"] == "integration" else "copy"
    return Comment(
        comment_id=comment["id"],
        origin=origin,
        author=comment["author"]["name"],
        written_at=time_of(comment["occurred_at"] or comment["at"]),
        is_public=comment["visibility"] == "public",
        views=frozenset(comment["views"]),
        text="\n".join(lines_of(comment["body_html"])),
        update_id=comment["update_id"],
        files=tuple((file["name"], file["size"]) for file in comment["attachments"]),
    )


def partner_snapshot(ticket: Json, names: Mapping[int, str]) -> Snapshot:
    """A ticket of the Zendesk account's state; `names` are its users'."""
    return Snapshot(
        desk="partner",
        ticket_id=str(ticket["id"]),
        url=f"/agent/tickets/{ticket['id']}",
        subject=ticket["subject"],
        status=ticket["status"],
        tags=frozenset(ticket["tags"]),
        views=frozenset(),
        requester=names.get(ticket["requester_id"], "?"),
        comments=tuple(_partner_comment(comment) for comment in ticket["comments"]),
    )


def _partner_comment(comment: Json) -> Comment:
    lines = list(lines_of(comment["html_body"]))
    author, written_at = comment["author"]["name"], time_of(comment["created_at"])
    origin: Origin = "person"
    if comment["via"]["channel"] == "api":
        origin, author, written_at, lines = attributed(lines, author, written_at)
    return Comment(
        comment_id=str(comment["id"]),
        origin=origin,
        author=author,
        written_at=written_at,
        is_public=comment["public"],
        views=None,
        text="\n".join(lines),
        update_id=str(comment["audit_id"]),
        files=tuple((file["file_name"], file["size"]) for file in comment["attachments"]),
    )


def attributed(
    lines: list[str], author: str, written_at: datetime
) -> tuple[Origin, str, datetime, list[str]]:
    """What the daemon wrote, by its first line: a copy, with the original's author and time and
    the lines below, or a note of its own.
    """
    attribution = _ATTRIBUTION.fullmatch(lines[0]) if lines else None
    if attribution is None:
        return "note", author, written_at, lines
    return "copy", attribution["name"], time_of(attribution["at"]), lines[1:]


def time_of(text: str) -> datetime:
    """A desk's stamp, aware."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def lines_of(html: str) -> Iterator[str]:
    """The lines that a reader sees, runs of blanks as one, empty ones left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for line in "".join(reader.pieces).split("\n"):
        if text := " ".join(line.split()):
            yield text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        # A line end inside a paragraph is a blank.
        self.pieces.append(data.replace("\n", " "))
