"""`syncd doctor`: what desks lack, and what adds it; nothing is changed."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.stage import Stage


def test_desks_that_do_not_answer_end_with_3_and_say_what_to_do(stage: Stage) -> None:
    result = stage.type("doctor", "--format", "json")
    assert result.exit_code == 3
    findings = json.loads(result.stdout)["findings"]
    assert {one["connection"] for one in findings} == {"heroku", "acme"}
    assert all(one["hint"] for one in findings if not one["is_ok"])
    assert not stage.store.exists()


def test_one_connection_is_asked_alone(stage: Stage) -> None:
    result = stage.type("doctor", "heroku", "--format", "json")
    assert {one["connection"] for one in json.loads(result.stdout)["findings"]} == {"heroku"}


def test_an_unknown_connection_is_refused_with_those_that_there_are(stage: Stage) -> None:
    result = stage.type("doctor", "herokku")
    assert result.exit_code == 2
    assert "heroku, acme" in result.stderr


@pytest.mark.parametrize("option", ["--script", "--scrip"])
def test_a_desk_that_tells_all_by_its_api_has_no_program_to_run(option: str, stage: Stage) -> None:
    result = stage.type("doctor", "acme", option)
    assert result.exit_code == 2
    assert "syncd doctor acme" in result.stderr


def test_a_program_is_for_one_connection(stage: Stage) -> None:
    result = stage.type("doctor", "--script")
    assert result.exit_code == 2
    assert "which connection" in result.stderr
