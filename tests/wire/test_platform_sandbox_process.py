"""The sandbox runs by itself and speaks HTTP to a client that shares nothing with it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import requests

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_sandbox_runs_as_a_process_and_stops_when_told() -> None:
    command = [sys.executable, "-m", "connectors.platform.sandbox", "--port", "0"]
    options = ["--time-scale", "20", "--quota", "50", "--view", "umbrella-mail", "--token", "t0k"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["ready"]
        me = requests.get(f"{address}/me", headers={"Authorization": "Bearer t0k"}, timeout=10)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert me.json()["views"] == ["umbrella-mail"]
    assert me.headers["RateLimit-Limit"] == "50"
    assert int(me.headers["RateLimit-Reset"]) <= 3
    # One date, not the server's beside the desk's.
    assert len(me.raw.headers.getlist("Date")) == 1
    assert code == 0
