"""What a running daemon counts, in `syncd status`: on the screen, in JSON, and without a daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from syncd.cli.daemon_report import daemon_details, store_details
from syncd.core.figures import LinkFigures
from syncd.core.model import LinkName
from tests.contract.store_story import a_pair
from tests.support.build import AT
from tests.unit.cli.stage import NO_SECRETS, Stage

WORD: Mapping[str, Any] = {
    "version": "1.2",
    "ready": True,
    "queue": 2,
    "counts": {"run.done": 5, "journal.sent": 4, "journal.done": 3, "sweep.repaired": 1},
    "received": {"acme": {"accepted": 9, "refused": 2, "postponed": 0, "failed": 0}},
    "webhooks": {"acme": {"state": "sound", "missed": 7}},
    "requests": {
        "acme": {"GET /tickets/{id}": {"200": 12, "429": 3}, "PUT /tickets/{id}": {"none": 1}}
    },
    "commits": {
        "count": 100,
        "seconds": 0.2,
        "within": {"0.001": 60, "0.01": 99, "1.0": 100, "+Inf": 100},
    },
    "connections": {"acme": {"state": "up"}},
}


def test_json_has_all_that_the_daemon_counts() -> None:
    assert daemon_details(WORD) == {
        "version": "1.2",
        "is_ready": True,
        "queue": 2,
        "runs": {"done": 5, "idle": 0, "waiting": 0, "parked": 0, "ended": 0, "crowded": 0},
        "journal": {"sent": 4, "done": 3, "dropped": 0},
        "sweep_repairs": 1,
        "feed_unreadable_rows": 0,
        "commits": {
            "count": 100,
            "mean_seconds": 0.002,
            "median_seconds": 0.001,
            "p99_seconds": 0.01,
        },
        "webhooks": [
            {
                "connection": "acme",
                "accepted": 9,
                "refused": 2,
                "postponed": 0,
                "failed": 0,
                "missed": 7,
            }
        ],
        "requests": [
            {
                "connection": "acme",
                "method": method,
                "endpoint": "/tickets/{id}",
                "status": status,
                "count": count,
            }
            for method, status, count in (("GET", "200", 12), ("GET", "429", 3), ("PUT", "none", 1))
        ],
    }


def test_a_commit_slower_than_every_bound_has_no_bound() -> None:
    slow = {"count": 2, "seconds": 40.0, "within": {"0.001": 0, "10.0": 1, "+Inf": 2}}
    commits = daemon_details({"commits": slow})["commits"]
    assert commits == {
        "count": 2,
        "mean_seconds": 20.0,
        "median_seconds": 10.0,
        "p99_seconds": None,
    }


@pytest.mark.parametrize(
    "word",
    [
        {"requests": [], "received": 3, "commits": None, "counts": "x", "queue": "many"},
        {"requests": {"acme": 1}, "received": {"acme": 2}, "webhooks": {"b": []}},
        {"requests": {"acme": {"GET": {"200": "many"}}}, "commits": {"within": {"x": 1, "nan": 2}}},
    ],
)
def test_a_stranger_in_the_daemons_place_counts_nothing(word: Mapping[str, Any]) -> None:
    details = daemon_details(word)
    assert json.dumps(details)
    assert details["queue"] == 0


def test_links_are_told_of_together() -> None:
    links = [
        LinkFigures(
            link=LinkName(name),
            waiting=2,
            sent=1,
            sent_since=AT - timedelta(seconds=seconds),
            balls={"partner": 3},
            hand_offs={"offered": 1, "handed": 4},
            unconfirmed=1,
        )
        for name, seconds in (("acme", 20), ("globex", 90))
    ]
    totals = store_details(links, AT)
    assert totals["waiting"] == 4
    assert totals["oldest_unanswered_seconds"] == 90
    assert totals["hand_offs"] == {"offered": 2, "handed": 8, "withdrawn": 0, "ended": 0}
    assert totals["ball"] == {"partner": 6, "platform": 0, "customer": 0, "nobody": 0}
    assert totals["oldest_unconfirmed_seconds"] == 0


def test_without_a_daemon_the_store_is_told_of_and_the_rest_is_said_to_be_missing(
    stage: Stage,
) -> None:
    stage.fill(a_pair)
    report = stage.json("status", secrets=NO_SECRETS)
    assert report["daemon"] is None
    assert report["all_links"]["unanswered"] == 0
    table = stage.type("status").stdout
    assert "hand-offs  offered 0, handed 0" in table
    assert "commits, " not in table
    assert "What only it knows is not shown" in table


def test_what_a_daemon_counts_is_on_the_screen_and_harmless(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.fill(a_pair)
    word = WORD
    monkeypatch.setattr("syncd.cli.daemon_word.daemon_word", lambda _: word)
    table = stage.type("status").stdout
    assert "accepted 9, refused 2, postponed 0, failed 0; 7 repaired by polling" in table
    assert "16; by status: 200 12, 429 3, none 1" in table
    assert "100, half within 1 ms, 99 of 100 within 10 ms" in table
    assert "GET /tickets/{id}" in table
    word = {**WORD, "requests": {"acme": {"GET /\x1b[2J": {"2\x1b[2J": 1}}}}
    table = stage.type("status").stdout
    assert "GET /\\x1b[2J" in table
    assert "\x1b" not in table
