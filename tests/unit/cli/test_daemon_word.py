"""What the daemon says of itself, and what is made of a stranger at its address."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from syncd.cli.daemon_word import connection_rows, daemon_word
from tests.contract.store_story import a_pair
from tests.unit.cli.stage import NO_SECRETS, Stage

WORD = {
    "connections": {
        "acme": {"state": "up", "since": "2026-01-01T00:00:00+00:00", "last_error": ""},
        "heroku": {"state": "do\x1b[1mwn", "since": "", "last_error": "Unreachable"},
    },
    "budgets": {
        "acme": {
            "account": {"refused": 2, "paused_seconds": 0.0},
            "export": {"refused": 1, "paused_seconds": 12.5},
        }
    },
}


@pytest.fixture
def answering() -> Iterator[Callable[[bytes, int], str]]:
    """Starts a server that answers /healthz so; its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, status: int = 200) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/healthz" else 404)
                self.send_header("Location", "/healthz")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing on standard error."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_each_connection_is_told_with_what_its_desk_refused(
    answering: Callable[[bytes, int], str],
) -> None:
    word = daemon_word(answering(json.dumps(WORD).encode(), 200))
    assert word == WORD
    rows = connection_rows(word)
    assert [(row["connection"], row["refused"], row["paused_seconds"]) for row in rows] == [
        ("acme", 3, 12),
        ("heroku", 0, 0),
    ]
    assert rows[1]["last_error"] == "Unreachable"


@pytest.mark.parametrize(
    ("body", "status"), [(b"<html>", 200), (b"[1]", 200), (b"{}", 500), (b"{}", 302)]
)
def test_a_stranger_at_the_address_is_no_daemon(
    answering: Callable[[bytes, int], str], body: bytes, status: int
) -> None:
    assert daemon_word(answering(body, status)) is None


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.0.0.1:9", "nix", ""])
def test_nobody_there_is_no_daemon(listen: str) -> None:
    assert daemon_word(listen) is None


def test_an_account_of_another_shape_shows_nothing() -> None:
    assert connection_rows({"connections": [], "budgets": 3}) == []
    (row,) = connection_rows({"connections": {"acme": None}, "budgets": {"acme": {"x": 1}}})
    assert (row["state"], row["refused"]) == ("", 0)


def test_status_shows_the_connections_of_a_running_daemon(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.fill(a_pair)
    assert "No daemon answers at 127.0.0.1:8480." in stage.type("status").stdout
    assert stage.json("status", secrets=NO_SECRETS)["connections"] == []
    monkeypatch.setattr("syncd.cli.daemon_word.daemon_word", lambda _: WORD)
    rows = stage.json("status", secrets=NO_SECRETS)["connections"]
    assert [(row["connection"], row["refused"]) for row in rows] == [("acme", 3), ("heroku", 0)]
    table = stage.type("status").stdout
    assert "do\\x1b[1mwn" in table
    assert "\x1b" not in table
