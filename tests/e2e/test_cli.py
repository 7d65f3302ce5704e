"""The commands as processes: desks in miniature, the daemon beside them, and a backfill."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

REPOSITORY = Path(__file__).resolve().parents[2]
SYNCD = [sys.executable, "-m", "syncd"]
CONFIG = """\
version: 1
store: sqlite:///{folder}/syncd.db
server: {{listen: "127.0.0.1:{port}"}}
connections:
  heroku: {{kind: platform, url: "{platform}", token: "${{PLATFORM_TOKEN}}"}}
  acme:
    kind: zendesk
    url: {zendesk}
    oauth: {{client_id: syncd, client_secret: "${{ACME_SECRET}}"}}
links:
  acme-postgres:
    platform: heroku/acme-postgres
    partner: {{connection: acme, group: Heroku}}
"""
ENV = {
    # The width of whoever runs the tests is not a pipe's.
    **{key: value for key, value in os.environ.items() if key != "COLUMNS"},
    "PYTHONPATH": str(REPOSITORY),
    "PLATFORM_TOKEN": "platform-token",
    "ACME_SECRET": "sandbox-client-secret",
}


@contextlib.contextmanager
def a_sandbox(kind: str, *options: str) -> Iterator[str]:
    """`syncd sandbox` on a free port; yields the address of its ready line."""
    command = [*SYNCD, "sandbox", kind, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["ready"])
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0


@contextlib.contextmanager
def a_daemon(folder: Path) -> Iterator[str]:
    """`syncd run`; yields the address that its log tells."""
    command = [*SYNCD, "run"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENV, cwd=folder
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                event = json.loads(line)
                if event["event"] == "daemon.ready":
                    yield event["address"]
                    break
        finally:
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=30)
        assert (process.returncode, rest) == (0, "")


@pytest.fixture(scope="module")
def desks() -> Iterator[dict[str, str]]:
    """Both desks, for all tests of this file."""
    scale = ["--time-scale", "60"]
    with a_sandbox("platform", *scale) as platform, a_sandbox("zendesk", *scale) as zendesk:
        yield {"platform": platform, "zendesk": zendesk}


@pytest.fixture
def folder(tmp_path: Path, desks: dict[str, str]) -> Path:
    """A folder with a configuration for these desks; the desks are as new."""
    text = CONFIG.format(folder=tmp_path, port=0, **desks)
    (tmp_path / "syncd.yaml").write_text(text, encoding="utf-8")
    for address in desks.values():
        requests.post(f"{address}/_sandbox/reset", timeout=10).raise_for_status()
    return tmp_path


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SYNCD, *words], cwd=folder, env=ENV, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def report(folder: Path, *words: str) -> Any:
    run = typed(folder, *words, "--format", "json")
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def a_ticket(platform: str, subject: str) -> str:
    """A customer's ticket in the partner's view; its id."""
    body = {
        "as": "Mia Keller",
        "do": "open",
        "subject": subject,
        "body_html": "<p>Since this morning.</p>",
        "view": "acme-postgres",
    }
    answer = requests.post(f"{platform}/_sandbox/act", json=body, timeout=10)
    answer.raise_for_status()
    return str(answer.json()["ticket"]["id"])


def subjects(zendesk: str) -> list[str]:
    state = requests.get(f"{zendesk}/_sandbox/state", timeout=10).json()
    return sorted(ticket["subject"] for ticket in state["tickets"])


def test_both_desks_let_us_do_what_the_links_need(folder: Path) -> None:
    checked = report(folder, "check", "--online")
    assert {desk["connection"] for desk in checked["desks"]} == {"heroku", "acme"}
    assert all(desk["is_ok"] for desk in checked["desks"])
    told = {desk["check"]: desk["message"] for desk in checked["desks"]}
    assert "has read write and the role admin" in told["right to import tickets"]
    assert "2 rules tell the requester" in told["mail to customers"]
    assert "Notify requester of comment update" in told["mailing trigger"]
    assert told["link acme-postgres"] == "new tickets find their place"


def test_a_refused_credential_ends_with_1_and_is_not_shown(folder: Path) -> None:
    run = subprocess.run(
        [*SYNCD, "check", "--online"], cwd=folder, env={**ENV, "PLATFORM_TOKEN": "wrong"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1
    assert "heroku" in run.stdout
    assert "wrong" not in run.stdout + run.stderr


def test_a_backfill_counts_first_then_takes_over_and_then_has_nothing_to_do(
    folder: Path, desks: dict[str, str]
) -> None:
    names = [f"Old ticket {number}" for number in range(5)]
    tickets = [a_ticket(desks["platform"], name) for name in names]

    counted = report(folder, "backfill", "acme-postgres", "--dry-run")
    assert (counted["is_dry_run"], counted["new_pairs"]) == (True, 5)
    assert subjects(desks["zendesk"]) == []
    assert not (folder / "syncd.db").exists()

    done = report(folder, "backfill", "acme-postgres", "--since", "30d")
    assert (done["new_pairs"], done["pairs_parked"], done["pairs_waiting"]) == (5, 0, 0)
    assert done["writes"] >= 5
    assert subjects(desks["zendesk"]) == names

    again = report(folder, "backfill", "acme-postgres", "--since", "30d")
    assert (again["new_pairs"], again["existing_pairs"], again["writes"]) == (0, 5, 0)

    link = report(folder, "status")["links"][0]
    assert (link["pairs"], link["waiting"], link["sent"]) == (5, 0, 0)
    planned = report(folder, "plan", f"acme-postgres/{tickets[0]}")
    assert planned["writes"] == []


def test_reports_work_beside_the_daemon(folder: Path, desks: dict[str, str]) -> None:
    with a_daemon(folder) as address:
        assert requests.get(f"{address}/readyz", timeout=10).status_code == 200
        assert report(folder, "status")["links"][0]["link"] == "acme-postgres"
        assert typed(folder, "retry", "--all").stdout == "Nothing was parked.\n"


def test_a_second_daemon_is_refused_by_the_store_and_another_one_by_the_port(
    folder: Path, desks: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    with a_daemon(folder) as address:
        taken = address.rpartition(":")[2]
        text = CONFIG.format(folder=other, port=taken, **desks)
        (other / "syncd.yaml").write_text(text, encoding="utf-8")
        for second, code, said in (
            (folder, 4, "another process already runs"),
            (other, 2, f"cannot listen on 127.0.0.1:{taken}"),
        ):
            run = typed(second, "run")
            assert (run.returncode, said in run.stderr) == (code, True)
            assert "Traceback" not in run.stderr


def test_a_terminal_gets_colours_unless_they_are_not_wanted(folder: Path) -> None:
    broken = folder / "broken.yaml"
    broken.write_text("version: 2\n", encoding="utf-8")
    for extra, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        env = {**ENV, "TERM": "xterm-256color", **extra}
        printed = on_a_terminal([*SYNCD, "check", "-c", str(broken)], env)
        assert "broken.yaml:1" in printed
        assert ("\x1b[31m" in printed) is is_coloured


def test_a_terminal_gets_a_bar_with_rate_and_a_report_after_it(
    folder: Path, desks: dict[str, str]
) -> None:
    a_ticket(desks["platform"], "Old ticket")
    env = {**ENV, "TERM": "xterm-256color", "COLUMNS": "120"}
    command = [*SYNCD, "backfill", "acme-postgres", "-c", str(folder / "syncd.yaml")]
    printed = on_a_terminal(command, env)
    bar, _, rest = printed.partition("link: acme-postgres")
    assert "1/1" in bar
    assert "/s" in bar
    assert "new pairs: 1" in rest


def on_a_terminal(command: list[str], env: dict[str, str]) -> str:
    """What a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        printed = b""
        # A terminal whose other end was closed reads as an error, not as an end.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65_536):
                printed += chunk
        process.wait(30)
    os.close(ours)
    return printed.decode()
