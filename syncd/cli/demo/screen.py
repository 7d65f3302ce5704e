"""What the demo shows: both desks side by side and live on a terminal, plain lines elsewhere.

All text comes from desks and is made harmless before it is shown; colours only say who may read a
comment, and each comment says it in words as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from syncd.cli.demo.compare import Agreement, Row
from syncd.cli.demo.snapshot import Comment, Snapshot
from syncd.cli.demo.story import Look
from syncd.cli.plain import visible

TITLES = {"platform": "Heroku (the platform)", "partner": "Acme's Zendesk (the partner)"}
_AUDIENCE_STYLES = {"public": "green", "private": "yellow", "local": "magenta"}
_NOTE_STYLE = "cyan"
_STATUS_STYLES = {"open": "bold red", "with": "bold yellow", "closed": "bold green"}

_COMMENT_LINES = 3
_CELL = 70
_REFRESH_PER_SECOND = 8


class Screen(Protocol):
    """Where the story is shown."""

    def narrate(self, heading: str, line: str) -> None:
        """A new step begins, or something is to be said about it."""
        ...

    def show(self, look: Look) -> None:
        """Both desks as they are now."""
        ...

    def reached(self, look: Look) -> None:
        """Both desks are in step again."""
        ...


class LineScreen:
    """For pipes and logs: one line for each thing that is new."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[tuple[str, str]] = set()

    def narrate(self, heading: str, line: str) -> None:
        """A heading with its line."""
        self._line(f"{heading}: {line}")

    def show(self, look: Look) -> None:
        """Nothing: only what is reached is told."""

    def reached(self, look: Look) -> None:
        """The fields of both desks, and the comments that are new."""
        for shown in (look.platform, look.partner):
            if shown is None:
                continue
            self._line(f"  {TITLES[shown.desk]}: {_fields(shown, look.agreement)}")
            for comment in shown.comments:
                key = (shown.desk, comment.comment_id)
                if key not in self._told:
                    self._told.add(key)
                    self._line(f"    {_byline(comment, look.agreement)}: {_one_line(comment.text)}")

    def _line(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class LiveScreen:
    """For terminals: both desks side by side, drawn anew several times a second."""

    def __init__(self, console: Console, footer: str) -> None:
        self._console = console
        self._footer = footer
        self._heading = ""
        self._line = ""
        self._look: Look | None = None
        self._is_reached = False

    @contextlib.contextmanager
    def running(self) -> Iterator[LiveScreen]:
        """Keep the picture up to date; the last one stays on the terminal."""
        with Live(
            get_renderable=self._picture,
            console=self._console,
            refresh_per_second=_REFRESH_PER_SECOND,
            vertical_overflow="crop",
        ):
            yield self

    def narrate(self, heading: str, line: str) -> None:
        """A new heading above both desks."""
        self._heading, self._line, self._is_reached = heading, line, False

    def show(self, look: Look) -> None:
        """Both desks as they are now."""
        self._look = look

    def reached(self, look: Look) -> None:
        """Both desks, and the mark that they are in step."""
        self._look, self._is_reached = look, True

    def _picture(self) -> RenderableType:
        mark = Text("in step", "bold green") if self._is_reached else Text("…", "bold yellow")
        heading = Text(self._heading, "bold")
        head = Table.grid(expand=True)
        head.add_column(ratio=1)
        head.add_column(justify="right")
        head.add_row(heading, mark)
        head.add_row(Text(self._line), Text(""))
        # What is left after the head's box, both panels' boxes, the footer and the cursor's line.
        height = max(self._console.height - 6, 10)
        desks = Table.grid(expand=True)
        desks.add_column(ratio=1)
        desks.add_column(ratio=1)
        look = self._look
        desks.add_row(
            self._panel("platform", look.platform if look else None, height),
            self._panel("partner", look.partner if look else None, height),
        )
        return Group(Panel(head, box=box.ROUNDED), desks, Text(self._footer, "dim"))

    def _panel(self, desk: str, shown: Snapshot | None, height: int) -> Panel:
        lines: list[Text] = [Text("no ticket yet", "dim")]
        if shown is not None and self._look is not None:
            agreement = self._look.agreement
            top = [_status_line(shown), _owner_line(shown, agreement), _tag_line(shown, agreement)]
            width = max(self._console.width // 2 - 4, 20)
            lines = [*top, Text(""), *self._thread(shown, agreement, width, height - 6)]
        return Panel(Group(*lines), title=TITLES[desk], height=height, box=box.ROUNDED)

    def _thread(
        self, shown: Snapshot, agreement: Agreement, width: int, room: int
    ) -> Sequence[Text]:
        """The newest comments that fit, oldest of them first."""
        chosen: list[Text] = []
        for comment in reversed(shown.comments):
            style = _style(comment, agreement)
            byline = Text(_byline(comment, agreement), f"bold {style}")
            byline.truncate(width, overflow="ellipsis")
            body = Text(_one_line(comment.text), style)
            wrapped = list(body.wrap(self._console, width))
            if len(wrapped) > _COMMENT_LINES:
                wrapped = wrapped[:_COMMENT_LINES]
                wrapped[-1].truncate(width - 2)
                wrapped[-1].append(" …")
            if len(chosen) + 1 + len(wrapped) > room:
                break
            chosen = [byline, *wrapped, *chosen]
        return chosen


def verdict(rows: Sequence[Row]) -> Table:
    """The comparison of both desks, field by field."""
    table = Table(title="Both desks, field by field", title_justify="left", box=box.SIMPLE_HEAD)
    for title in ("field", "Heroku", "Acme", ""):
        table.add_column(title, overflow="fold")
    for row in rows:
        word = Text("equal", "green") if row.is_equal else Text("DIFFERS", "bold red")
        table.add_row(Text(visible(row.field)), _cell(row.platform), _cell(row.partner), word)
    return table


def _cell(text: str) -> Text:
    shown = _one_line(text)
    return Text(shown if len(shown) <= _CELL else shown[: _CELL - 1] + "…")


def _one_line(text: str) -> str:
    return visible(text.replace("\n", " / "))


def _status_line(shown: Snapshot) -> Text:
    meaning = {"pending": "with", "solved": "closed", "new": "open", "hold": "open"}
    word = meaning.get(shown.status, shown.status.split()[0].lower())
    line = Text(f"#{shown.ticket_id} ", "dim")
    line.append(visible(shown.status), _STATUS_STYLES.get(word, "bold"))
    line.append(f"  {visible(shown.subject)}")
    line.truncate(200)
    line.no_wrap = True
    line.overflow = "ellipsis"
    return line


def _owner_line(shown: Snapshot, agreement: Agreement) -> Text:
    return Text(_owner(shown, agreement), "bold")


def _owner(shown: Snapshot, agreement: Agreement) -> str:
    if shown.desk == "partner":
        is_away = agreement.ball_tag in shown.tags
        return "with Heroku's staff (tag)" if is_away else "with Acme"
    is_here = agreement.view in shown.views
    return f"in the view {agreement.view}" if is_here else "with Heroku's staff, in no view"


def _tag_line(shown: Snapshot, agreement: Agreement) -> Text:
    shared = agreement.shared_tags(shown)
    line = Text("tags: ", "dim")
    line.append(visible(" ".join(sorted(shared))) or "none shared", "bold")
    line.append(visible("".join(f" {tag}" for tag in sorted(shown.tags - shared))), "dim")
    line.no_wrap = True
    line.overflow = "ellipsis"
    return line


def _fields(shown: Snapshot, agreement: Agreement) -> str:
    tags = " ".join(visible(tag) for tag in sorted(shown.tags))
    return f"{visible(shown.status)}; {_owner(shown, agreement)}; tags: {tags or 'none'}"


def _byline(comment: Comment, agreement: Agreement) -> str:
    who = "syncd" if comment.origin == "note" else visible(comment.author)
    kind = {"note": ", a note", "copy": ", a copy", "person": ""}[comment.origin]
    return f"{_audience(comment, agreement)}{kind} · {who} {comment.written_at:%H:%M}"


def _style(comment: Comment, agreement: Agreement) -> str:
    if comment.origin == "note":
        return _NOTE_STYLE
    return _AUDIENCE_STYLES[_audience(comment, agreement)]


def _audience(comment: Comment, agreement: Agreement) -> str:
    if comment.is_public:
        return "public"
    return "private" if agreement.is_shared(comment) else "local"
