"""The Zendesk sandbox as a process of its own: switches, time scale, and writes in doubt."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]
LOGIN = ("syncd@acme.test/token", "sandbox-api-token")


@contextlib.contextmanager
def a_desk(*options: str) -> Iterator[str]:
    """The address of a sandbox that ends, cleanly, with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connectors.zendesk.sandbox", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["ready"]
    finally:
        process.terminate()
        _out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, b"")


def put(address: str, ticket_id: int, **ticket: Any) -> requests.Response:
    url = f"{address}/api/v2/tickets/{ticket_id}.json"
    return requests.put(url, json={"ticket": ticket}, auth=LOGIN, timeout=5)


def bodies(address: str, ticket_id: int) -> list[str]:
    shown = requests.get(f"{address}/_sandbox/tickets/{ticket_id}", timeout=5).json()
    return [comment["body"] for comment in shown["comments"]]


def test_a_write_whose_answer_is_lost_was_applied_or_was_not() -> None:
    with a_desk("--time-scale", "60", "--set", 'plan="high_volume"') as address:
        control = requests.get(f"{address}/_sandbox", timeout=5).json()
        assert (control["name"], control["time_scale"]) == ("zendesk", 60)
        for action in ("drop_before", "drop_after"):
            made = requests.post(
                f"{address}/_sandbox/act",
                json={
                    "as": "carl@globex.test",
                    "do": "create",
                    "subject": "s",
                    "comment": {"text": "first"},
                },
                timeout=5,
            ).json()["ticket"]
            requests.post(
                f"{address}/_sandbox/faults", json={"action": action, "kind": "write"}, timeout=5
            )
            with pytest.raises(requests.ConnectionError):
                put(address, made["id"], comment={"body": "second", "public": True})
            seen = bodies(address, made["id"])
            assert seen == ["first"] + ["second"] * (action == "drop_after")


def test_the_log_tells_what_was_applied_and_by_whom() -> None:
    with a_desk("--set", "metadata_readable=false") as address:
        body = {"ticket": {"subject": "s", "comment": {"body": "b"}, "metadata": {"op": "1"}}}
        made = requests.post(f"{address}/api/v2/tickets", json=body, auth=LOGIN, timeout=5).json()
        assert made["audit"]["metadata"]["custom"] == {}
        put(address, 99, status="open")
        log = requests.get(f"{address}/_sandbox/requests", timeout=5).json()
        rows = [(row["template"], row["status"], row["applied"]) for row in log["requests"]]
        assert rows == [("/api/v2/tickets", 201, True), ("/api/v2/tickets/{id}", 404, False)]
        assert {row["user"] for row in log["requests"]} == {"syncd@acme.test"}
        assert (log["writes"], log["applied_writes"]) == (2, 1)
