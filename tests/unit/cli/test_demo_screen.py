"""What the demo shows is harmless whatever the desks hold, and fits where it is shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from syncd.cli.demo.compare import Row
from syncd.cli.demo.platform_side import AGREEMENT, VIEW
from syncd.cli.demo.screen import LineScreen, LiveScreen, verdict
from syncd.cli.demo.snapshot import Comment, Snapshot
from syncd.cli.demo.story import Look

HOSTILE = "[bold red]\x1b[2J\x1b]0;title\x07\u202eevil[/red]\r\n\x00 <script>"


def a_look(text: str, *, comments: int = 1) -> Look:
    thread = tuple(
        Comment(
            comment_id=str(number),
            origin="person",
            author=text,
            written_at=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
            is_public=number % 2 == 0,
            views=frozenset({VIEW}),
            text=f"{number} {text}",
            update_id=str(number),
        )
        for number in range(comments)
    )
    platform = Snapshot(
        desk="platform",
        ticket_id="t1",
        url="",
        subject=text,
        status=text,
        tags=frozenset({text}),
        views=frozenset({VIEW}),
        requester=text,
        comments=thread,
    )
    return Look(agreement=AGREEMENT, platform=platform, partner=None)


def a_console(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=100,
        height=30,
        force_terminal=is_terminal,
        no_color=True,
        markup=False,
        highlight=False,
    )
    return console, stream


def shown_live(look: Look) -> str:
    console, stream = a_console(is_terminal=False)
    screen = LiveScreen(console, "footer")
    screen.narrate("Step 1", "A customer opens a ticket.")
    screen.reached(look)
    with screen.running():
        pass
    return stream.getvalue()


@pytest.mark.parametrize("view", ["live", "lines", "verdict"])
def test_hostile_text_cannot_move_the_cursor_or_pose_as_colour(view: str) -> None:
    console, stream = a_console(is_terminal=False)
    match view:
        case "live":
            shown = shown_live(a_look(HOSTILE))
        case "lines":
            LineScreen(console).reached(a_look(HOSTILE))
            shown = stream.getvalue()
        case _:
            row = Row(field=HOSTILE, platform=HOSTILE, partner=HOSTILE, is_equal=False)
            console.print(verdict([row]))
            shown = stream.getvalue()
    assert not set(shown) & set("\x1b\x07\x00\r\u202e")
    assert "[bold" in shown
    assert "\\x1b" in shown


def test_the_newest_comments_are_shown_where_not_all_fit() -> None:
    shown = shown_live(a_look("hello", comments=50))
    assert "49 hello" in shown
    assert " 0 hello" not in shown
    assert len(shown.splitlines()) <= 30


def test_lines_tell_each_comment_once() -> None:
    console, stream = a_console(is_terminal=False)
    screen = LineScreen(console)
    screen.reached(a_look("hello", comments=2))
    screen.reached(a_look("hello", comments=3))
    said = stream.getvalue()
    assert [said.count(f"{number} hello") for number in range(3)] == [1, 1, 1]


def test_each_comment_says_in_words_who_may_read_it() -> None:
    shown = shown_live(a_look("hello", comments=2))
    assert "public · hello" in shown
    assert "private · hello" in shown
