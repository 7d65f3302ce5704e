"""`syncd status --watch` on a screen of so many lines: what is wrong is on it, whatever is not."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

import pytest
from rich.console import Console

from syncd.cli.report import Report, as_tables
from syncd.cli.status_report import Gathered, status_report
from syncd.cli.status_screen import one_screen
from syncd.core.figures import LinkFigures
from syncd.core.model import Ball, LinkName, Side
from syncd.core.report import LinkSummary
from tests.support.build import AT

NOW = AT + timedelta(hours=3)
WELL = {"ready": True, "daemon": {"has_begun": True, "is_store_well": True}}


#: What a busy daemon adds to it.
COUNTS = {
    "queue": 2,
    "counts": {"run.done": 801, "run.idle": 12, "journal.sent": 812, "journal.done": 810},
    "received": {"desk-00": {"accepted": 4012, "refused": 3, "postponed": 0, "failed": 0}},
    "webhooks": {"desk-00": {"state": "sound", "missed": 7}},
    "requests": {
        "desk-00": {
            "GET /api/v2/incremental/tickets/cursor": {"200": 8123, "429": 3},
            "PUT /api/v2/tickets/{id}": {"200": 640, "409": 5, "503": 1, "none": 1},
            "GET /api/v2/tickets/{id}/audits": {"200": 604},
            "POST /api/v2/tickets": {"201": 171},
        },
        "desk-01": {f"GET /api/conversations/{{id}}/{word}": {"200": 9} for word in "abcd"},
    },
    "commits": {
        "count": 1622,
        "seconds": 1.8,
        "within": {"0.001": 812, "0.0025": 1500, "0.01": 1620, "+Inf": 1622},
    },
}


def a_report(
    *, links: int, late: int, down: int, budgets: Mapping[str, object] | None = None
) -> Report:
    """The last links are late, the last desks are down."""
    names = [LinkName(f"link-{number:02}") for number in range(links)]
    bad = names[links - late :]
    polled_at = (NOW - timedelta(seconds=4)).isoformat()
    desks = {
        f"desk-{number:02}": {
            "state": "down" if number >= links - down else "up",
            "since": AT.isoformat(),
            "polled_at": polled_at,
            "poll_seconds": 10,
        }
        for number in range(links)
    }
    balls = {Ball.PARTNER.value: 48, Ball.PLATFORM.value: 13, Ball.CUSTOMER.value: 96}
    found = Gathered(
        now=NOW,
        names=names,
        figures={
            name: LinkFigures(
                link=name,
                waiting=int(name in bad),
                waiting_since=AT if name in bad else None,
                owed_since={Side.PARTNER: AT} if name in bad else {},
            )
            for name in names
        },
        summaries={
            name: LinkSummary(
                link=name,
                pairs=1204,
                open_pairs=61,
                dirty=int(name in bad),
                parked=0,
                ended=0,
                sent=0,
                importing=0,
                conflicts=3,
                oldest_dirty_at=AT if name in bad else None,
                balls=balls,
            )
            for name in names
        },
        refused=[],
        feeds=[],
        webhooks=[],
        word={**WELL, **COUNTS, "connections": desks, "budgets": budgets or {}},
        listen="127.0.0.1:8480",
    )
    return status_report(found)


def on_screen(report: Report, *, height: int, width: int = 120) -> str:
    terminal = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, emoji=False
    )
    drawn: Callable[[Report], str] = partial(as_tables, terminal=terminal, now=NOW)
    text = drawn(one_screen(report, height=height, drawn=drawn))
    if folder := os.environ.get("SYNCD_SCREENS"):
        name = f"{folder}/{len(report.sheets[0].rows)}-{width}x{height}.txt"
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    return text


@pytest.mark.parametrize("width", [80, 120])
def test_thirty_links_fit_on_24_lines_and_the_late_one_is_among_them(width: int) -> None:
    text = on_screen(a_report(links=30, late=1, down=1), height=24, width=width)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert "the desk has not answered" in text
    assert "link-29" in text
    assert "desk-29" in text
    assert text.index("trouble") < text.index("link-29 ")
    assert text.count("all ok") == 2


def test_what_does_not_fit_and_is_in_trouble_is_counted_as_such() -> None:
    text = on_screen(a_report(links=30, late=25, down=0), height=24)
    assert len(text.splitlines()) <= 24
    assert "of them in trouble" in text
    assert "`syncd status --all` has all" in text


def test_two_links_are_shown_whole() -> None:
    text = on_screen(a_report(links=2, late=1, down=0), height=24)
    assert len(text.splitlines()) <= 24
    assert "more" not in text
    assert all(name in text for name in ("link-00", "link-01", "desk-00", "desk-01"))


def test_a_screen_of_a_few_lines_keeps_a_row_of_each_table() -> None:
    text = on_screen(a_report(links=30, late=3, down=3), height=3)
    assert "desk-27" in text
    assert "link-27" in text


def test_two_links_with_all_that_the_daemon_counts_fit_on_40_lines() -> None:
    text = on_screen(a_report(links=2, late=1, down=0), height=40, width=100)
    assert len(text.splitlines()) <= 40
    assert "GET /api/v2/incremental/tickets/cursor" in text
    assert "webhooks   accepted 4012, refused 3, postponed 0, failed 0; 7 repaired" in text
    assert "No room" not in text


def test_thirty_links_on_40_lines_leave_room_for_what_the_daemon_counts() -> None:
    text = on_screen(a_report(links=30, late=1, down=1), height=40, width=100)
    assert len(text.splitlines()) <= 40
    assert "commits" in text
    assert "link-29" in text
    assert "desk-29" in text


def test_a_table_without_room_is_named() -> None:
    text = on_screen(a_report(links=30, late=1, down=1), height=24)
    assert "No room for: endpoints, work. `syncd status --all` has all." in text
    assert "No room for" not in on_screen(a_report(links=2, late=0, down=0), height=60)


LONG = "zendesk-ratelimit-incremental-exports"


@pytest.mark.parametrize("width", [80, 100])
def test_quotas_have_lines_of_their_own_and_fold_no_other_word(width: int) -> None:
    told = {"limit": 700, "ours": 420, "used": 60, "left": 640, "refused": 2, "paused_seconds": 0}
    budgets = {"desk-00": {"account": told, LONG: told, "ticket-update:4711": told}}
    text = on_screen(a_report(links=2, late=1, down=1, budgets=budgets), height=60, width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    (head,) = (line.split() for line in lines if "last poll" in line)
    assert head[:2] == ["connection", "state"]
    rows = [line.split() for line in lines if line.startswith("desk-00") and "420" in line]
    assert [row[2:] for row in rows] == [["60", "420", "640", "2", "0"]] * 3
    names = [row[1] for row in rows]
    assert names[0] == "account"
    assert LONG.startswith(names[-1])
    assert (names[-1] == LONG) == (width > 80)


def test_quotas_give_way_before_what_the_daemon_did() -> None:
    told = {"limit": 700, "ours": 420, "used": 60}
    budgets = {f"desk-{number:02}": {"account": told} for number in range(30)}
    report = a_report(links=30, late=1, down=1, budgets=budgets)
    assert "No room for: endpoints, quotas, work." in on_screen(report, height=24)
    assert "No room for: endpoints, quotas." in on_screen(report, height=40)
