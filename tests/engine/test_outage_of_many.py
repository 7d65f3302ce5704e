"""Eight partners' desks take every request and answer none; the ninth's words go on as ever."""

from __future__ import annotations

from pathlib import Path

from tests.engine.outage_of_many import p99s

#: Of the time on a calm day.
MOST = 1.1
#: Most of that is the pause between looks and Zendesk's minute: a tenth of it could hide much.
MOST_SECONDS_MORE = 1.0


def test_desks_that_hang_and_return_with_a_backlog_slow_nobody_else_down(tmp_path: Path) -> None:
    calm = p99s(tmp_path / "calm", is_hanging=False)
    troubled = p99s(tmp_path / "troubled", is_hanging=True)
    for before, now in zip(calm, troubled, strict=True):
        assert now <= before * MOST, (calm, troubled)
        assert now <= before + MOST_SECONDS_MORE, (calm, troubled)
