"""The log's own promises: its form, its levels, and the place of a bug without its words."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator

import pytest
import structlog

from syncd.log import EVENTS, Format, configure, logger, place_of


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_is_one_event_a_line_with_its_level_and_time() -> None:
    stream = io.StringIO()
    configure(form="json", level="info", stream=stream)
    logger().info("pair.reconciled", pair=7, text="zwei\nZeilen\x1b[31m")
    logger().error("pair.parked", reason="bug")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"], first["pair"]) == ("pair.reconciled", "info", 7)
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("pair.parked", "error")


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        ("auto", io.StringIO(), True),
        ("auto", Terminal(), False),
        ("console", io.StringIO(), False),
        ("json", Terminal(), True),
    ],
)
def test_auto_is_json_wherever_nobody_watches(
    form: Format, stream: io.StringIO, is_json: bool
) -> None:
    stream.truncate(0)
    stream.seek(0)
    configure(form=form, level="info", stream=stream)
    logger().info("daemon.ready", address="http://127.0.0.1:1")
    line = stream.getvalue()
    assert line.startswith("{") is is_json
    assert "daemon.ready" in line
    assert ("\x1b[" in line) is (not is_json and stream.isatty())


def test_less_than_the_level_is_not_written() -> None:
    stream = io.StringIO()
    configure(form="json", level="warning", stream=stream)
    logger().info("op.done")
    logger().debug("op.sent")
    logger().warning("op.unknown")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["op.unknown"]


def test_the_lines_of_a_run_carry_its_id() -> None:
    stream = io.StringIO()
    configure(form="json", level="debug", stream=stream)
    with structlog.contextvars.bound_contextvars(run_id="1f"):
        logger().debug("op.sent")
    logger().debug("op.done")
    ids = [json.loads(line).get("run_id") for line in stream.getvalue().splitlines()]
    assert ids == ["1f", None]


def test_the_place_of_a_bug_says_where_and_not_what() -> None:
    def innermost() -> None:
        raise KeyError("the customer's own words")

    with pytest.raises(KeyError) as caught:
        innermost()
    place = place_of(caught.value)
    assert place.startswith("test_log.py:")
    assert place.endswith(" innermost")
    assert "words" not in place
    assert place_of(ValueError("never raised")) == "?"


def test_every_event_says_what_it_means_in_one_line() -> None:
    for event, meaning in EVENTS.items():
        assert meaning.endswith("."), event
        assert "\n" not in meaning, event


LEVELS = ("debug", "info", "warning", "error", "critical")


def written(monkeypatch: pytest.MonkeyPatch, form: Format, *, is_journal: bool) -> list[str]:
    """One event of each level, as it leaves by a pipe that systemd has, or has not, made."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as out:
        with open(writing, "w", encoding="utf-8") as stream:
            found = os.fstat(writing)
            inode = found.st_ino if is_journal else found.st_ino + 1
            monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{inode}")
            configure(form=form, level="debug", stream=stream)
            for level in LEVELS:
                getattr(logger(), level)("daemon.ready", address="a\n<0>b")
        return out.read().splitlines()


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_journal_is_told_how_important_a_line_is(
    monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    lines = written(monkeypatch, form, is_journal=True)
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    if form == "json":
        assert [json.loads(line[3:])["level"] for line in lines] == list(LEVELS)


def test_what_is_not_the_journal_gets_bare_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch, "json", is_journal=False)
    assert [json.loads(line)["level"] for line in lines] == list(LEVELS)
