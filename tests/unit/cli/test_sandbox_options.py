"""`syncd sandbox`: wrong options end before anything listens."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from syncd.cli import app


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["zendesk", "--set", "plan"], "NAME=JSON"),
        (["zendesk", "--set", "people=[]"], "NAME=JSON"),
        (["zendesk", "--set", "plan=suite_team"], "JSON"),
        (["zendesk", "--time-scale", "0.5"], "time-scale"),
        (["platform", "--quota", "0"], "quota"),
        (["platform", "--port", "70000"], "port"),
        (["jira"], "jira"),
    ],
)
def test_a_wrong_option_is_refused(words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["sandbox", *words])
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("kind", ["zendesk", "platform"])
def test_a_port_that_is_taken_is_refused_in_words(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["sandbox", kind, "--port", port])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
