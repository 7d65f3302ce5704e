"""How far a backfill is said to have come."""

from __future__ import annotations

import pytest

from syncd.cli.progress import done_count, ticket_bar
from syncd.engine.backfill import BackfillReport


def test_a_page_counts_as_its_new_pairs_are_run() -> None:
    report = BackfillReport(seen=100, born=60, existing=30, filtered=10)
    assert done_count(report) == 40
    report.done, report.parked, report.waiting = 20, 5, 5
    assert done_count(report) == 70
    report.done = 50
    assert done_count(report) == 100


def test_pairs_left_over_from_an_earlier_run_never_count_beyond_what_was_seen() -> None:
    assert done_count(BackfillReport(seen=10, born=2, existing=8, done=50)) == 10


def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with ticket_bar() as bar:
        assert not bar.is_shown
        with bar.walk("backfill", total=10) as progress:
            progress(BackfillReport(seen=5, born=5, done=5))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
