"""`syncd status`, judged: what is wrong, worst first, and with what monitoring is told of it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.core.model import LinkName, Side
from syncd.core.report import WebhookNote
from syncd.core.work import Park
from syncd.store import SqliteStore
from tests.contract.store_story import a_change, a_pair, a_twinned_pair, see
from tests.support.build import AT, PARTNER
from tests.unit.cli.stage import Stage
from tests.unit.cli.test_status import a_busy_store

Fill = Callable[[SqliteStore], Any]
WELL: Mapping[str, Any] = {
    "ready": True,
    "daemon": {
        "has_begun": True,
        "is_stopping": False,
        "standstill": "",
        "is_store_well": True,
    },
    "connections": {},
}


def a_word(**changes: Any) -> Mapping[str, Any]:
    return {**WELL, **changes}


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any] | None], None]:
    """Lets a daemon say so."""

    def say(word: Mapping[str, Any] | None) -> None:
        monkeypatch.setattr("syncd.cli.daemon_word.daemon_word", lambda _: word)

    return say


Says = Callable[[Mapping[str, Any] | None], None]


async def seen_now(store: SqliteStore) -> None:
    """A pair whose change was seen a moment ago."""
    await a_twinned_pair(store)
    await see(store, a_change(), at=datetime.now(UTC))


async def a_leak(store: SqliteStore) -> None:
    park = Park(reason="leak", hint="Hide it.")
    await store.park_link(LinkName("acme-postgres"), park, now=AT)


async def a_paused_link(store: SqliteStore) -> None:
    await store.pause_link(LinkName("acme-postgres"), actor="cli:ada", now=AT)


@pytest.mark.parametrize(
    ("fill", "code", "first"),
    [
        (a_twinned_pair, 0, "SYNCD OK - 1 link in step |"),
        (seen_now, 0, "SYNCD OK - 1 link in step |"),
        (a_paused_link, 1, "SYNCD WARNING - acme-postgres: paused by a person |"),
        (a_leak, 2, "SYNCD CRITICAL - acme-postgres: stopped: leak |"),
        # What was seen in 2025 is late.
        (a_pair, 2, "SYNCD CRITICAL - acme-postgres: 1 pair waits for the partner, since "),
    ],
)
def test_monitoring_is_told_in_one_line_and_a_code(
    fill: Fill, code: int, first: str, stage: Stage, says: Says
) -> None:
    says(WELL)
    stage.fill(fill)
    result = stage.type("status", "--check")
    assert result.exit_code == code
    assert result.stdout.startswith(first)
    assert "'waiting'=" in result.stdout.splitlines()[0]
    assert result.stdout.splitlines()[0].count("|") == 1


def test_each_trouble_has_a_line_below_the_first(stage: Stage, says: Says) -> None:
    says(a_word(connections={"acme": {"state": "unauthorised", "since": "2026-01-01T00:00:00Z"}}))
    stage.fill(a_busy_store)
    result = stage.type("status", "--check")
    first, *others = result.stdout.splitlines()
    assert result.exit_code == 2
    assert len(others) == 3
    assert "acme: the desk refuses the credential" in others
    assert "acme-postgres: 1 pair parked" in others
    assert "'parked'=1;0;;0" in first


def test_without_a_daemon_it_is_critical(stage: Stage, says: Says) -> None:
    says(None)
    stage.fill(a_twinned_pair)
    result = stage.type("status", "--check")
    assert result.exit_code == 2
    assert result.stdout.startswith("SYNCD CRITICAL - syncd: no daemon answers |")


@pytest.mark.parametrize("words", [(), ("--link", "nobody")])
def test_where_nobody_can_tell_it_is_unknown(words: tuple[str, ...], stage: Stage) -> None:
    if words:
        stage.fill(a_pair)
    result = stage.type("status", "--check", *words)
    assert result.exit_code == 3
    assert result.stdout.startswith("SYNCD UNKNOWN - ")
    assert "there is no" in result.stdout


def test_a_configuration_that_is_wrong_is_unknown(stage: Stage) -> None:
    stage.config.write_text("store: [", encoding="utf-8")
    result = stage.type("status", "--check")
    assert result.exit_code == 3
    assert result.stdout.startswith("SYNCD UNKNOWN - ")


def test_the_check_as_json_has_the_whole_report_and_the_same_code(stage: Stage, says: Says) -> None:
    says(WELL)
    stage.fill(a_leak)
    result = stage.type("status", "--check", "--format", "json")
    assert result.exit_code == 2
    assert '"level": "critical"' in result.stdout


def test_without_the_check_the_code_is_what_it_was(stage: Stage, says: Says) -> None:
    says(None)
    stage.fill(a_leak)
    assert stage.type("status").exit_code == 0
    assert stage.type("status", "--fail").exit_code == 1


def test_the_report_says_level_lag_and_trouble(stage: Stage, says: Says) -> None:
    says(WELL)
    stage.fill(a_busy_store)
    report = stage.json("status")
    assert report["level"] == "critical"
    (link,) = report["links"]
    assert link["level"] == "critical"
    assert link["lag_to_partner_seconds"] > 86_400
    assert link["lag_to_platform_seconds"] == 0
    kinds = {(t["kind"], t["level"], t["name"]) for t in report["troubles"]}
    assert kinds == {
        ("lag", "critical", "acme-postgres"),
        ("parked", "warning", "acme-postgres"),
    }
    table = stage.type("status").stdout
    assert table.startswith("level: critical\n")
    assert "lag to partner" in table
    assert "1 pair parked" in table


def test_a_connection_is_shown_with_poll_quota_and_webhook(stage: Stage, says: Says) -> None:
    polled_at = (datetime.now(UTC) - timedelta(seconds=4)).isoformat()
    condition = {"state": "up", "since": polled_at, "polled_at": polled_at, "poll_seconds": 10.0}
    quota = {"limit": 700, "ours": 420, "used": 60, "left": 640, "refused": 2}
    says(
        a_word(
            connections={"acme": condition},
            budgets={"acme": {"account": {**quota, "paused_seconds": 0.0}}},
        )
    )

    async def with_webhook(store: SqliteStore) -> None:
        await a_twinned_pair(store)
        note = WebhookNote(connection=PARTNER, state="sound", faults=(), missed=3, seen_at=AT)
        await store.note_webhook(note)

    stage.fill(with_webhook)
    (row,) = stage.json("status")["connections"]
    assert row["quotas"] == [{"bucket": "account", **quota, "paused_seconds": 0}]
    assert (row["refused"], row["webhook"], row["missed"]) == (2, "sound", 3)
    table = stage.type("status").stdout
    assert re.search(r"^acme +account +60 +420 +640 +2 +0$", table, re.MULTILINE)
    assert re.search(r"\b[4-9] s ago", table)


def test_a_daemon_that_says_nonsense_harms_nobody(stage: Stage, says: Says) -> None:
    says(
        {
            "daemon": [],
            "ready": "yes",
            "connections": {"acme": {"state": 7, "since": "x", "polled_at": {}}, "b": []},
            "budgets": {"acme": {"x": {"used": "\x1b"}}},
            "webhooks": {"acme": {"faults": "no"}},
        }
    )
    stage.fill(a_pair)
    result = stage.type("status")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert stage.type("status", "--check").exit_code == 2


def test_hostile_words_do_not_become_figures(stage: Stage, says: Says) -> None:
    says(a_word(daemon={"has_begun": True, "standstill": "a | 'x'=1\nb \x1b[1m"}))
    stage.fill(a_twinned_pair)
    first, *_ = stage.type("status", "--check").stdout.splitlines()
    assert first.count("|") == 1
    assert "\x1b" not in first


@pytest.mark.parametrize("words", [(), ("--format", "json")])
def test_watching_in_a_pipe_is_refused_with_another_way(
    words: tuple[str, ...], stage: Stage
) -> None:
    stage.fill(a_pair)
    result = stage.type("status", "--watch", *words)
    assert result.exit_code == 2
    assert "on a terminal" in result.stderr
    assert "--format json" in result.stderr


def test_watching_draws_again_and_ends_with_a_key(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "syncd", "status", "--watch", "--every", "0.2"]
    watching = subprocess.Popen(
        [*command, "-c", str(stage.config)],
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "50"},
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    try:
        while said.count(b"acme-postgres") < 3:
            readable, _, _ = select.select([ours], [], [], 60)
            assert readable, said
            said += os.read(ours, 65_536)
        stage.fill(lambda store: see(store, a_change(), side=Side.PLATFORM))
        while b"waits for the partner" not in said:
            readable, _, _ = select.select([ours], [], [], 60)
            assert readable, said
            said += os.read(ours, 65_536)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=30) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
