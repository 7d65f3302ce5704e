"""How far a backfill is said to have come."""

from __future__ import annotations

import pytest

from syncd.cli.progress import ticket_bar
from syncd.engine.backfill import BackfillReport


def test_a_pipe_gets_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with ticket_bar() as bar:
        assert not bar.is_shown
        with bar.walk("backfill", total=10) as progress:
            progress(BackfillReport(seen=5, handled=5, born=5, done=5))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
