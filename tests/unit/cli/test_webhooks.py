"""`syncd webhooks` without any desk: what it refuses, and how it says that a desk is silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.stage import CONFIG, Stage, a_stage

PUBLIC = 'server: {{public_url: "https://syncd.example.com"}}\n'
MANAGED = CONFIG.replace(
    "    url: http://127.0.0.1:9\n", "    url: http://127.0.0.1:9\n    webhooks: managed\n"
)


@pytest.fixture
def managed(tmp_path: Path) -> Stage:
    return a_stage(tmp_path, config=PUBLIC + MANAGED)


@pytest.mark.parametrize("command", ["show", "ensure"])
def test_without_webhooks_there_is_nothing_to_look_after(stage: Stage, command: str) -> None:
    result = stage.type("webhooks", command)
    assert (result.exit_code, "No connection has webhooks." in result.stdout) == (0, True)
    assert not stage.store.exists()


@pytest.mark.parametrize("command", ["show", "ensure", "secret"])
def test_without_a_public_address_nothing_can_lead_here(stage: Stage, command: str) -> None:
    result = stage.type("webhooks", command, "acme")
    assert result.exit_code == 2
    assert "public_url" in result.stderr


@pytest.mark.parametrize("command", ["show", "ensure", "secret"])
def test_an_unknown_connection_is_told_the_known_ones(stage: Stage, command: str) -> None:
    result = stage.type("webhooks", command, "nobody")
    assert result.exit_code == 2
    assert "The connections are: heroku, acme." in result.stderr


def test_managed_webhooks_without_a_public_address_are_a_mistake_in_the_file(
    tmp_path: Path,
) -> None:
    result = a_stage(tmp_path, config=MANAGED).type("check")
    assert result.exit_code == 2
    assert "acme.webhooks" in result.stderr
    assert "server.public_url" in result.stderr


@pytest.mark.parametrize("value", ["mended", '"true"', "1", "[managed]"])
def test_another_word_than_managed_is_a_mistake_in_the_file(tmp_path: Path, value: str) -> None:
    config = PUBLIC + MANAGED.replace("webhooks: managed", f"webhooks: {value}")
    result = a_stage(tmp_path, config=config).type("check")
    assert result.exit_code == 2
    assert "connections.acme.webhooks: must be true, false or managed" in result.stderr


def test_a_silent_desk_ends_with_3_and_is_told_of_beside_the_others(managed: Stage) -> None:
    result = managed.type("webhooks", "show", "--format", "json")
    assert result.exit_code == 3
    (row,) = json.loads(result.stdout)["webhooks"]
    assert row["connection"] == "acme"
    assert row["endpoint"] == "https://syncd.example.com/webhooks/acme"
    assert row["is_sound"] is None
    assert row["hint"]
    assert not managed.store.exists()


def test_the_address_shows_where_managed_webhooks_arrive(managed: Stage) -> None:
    shown = {row["connection"]: row["webhooks_at"] for row in managed.json("check")["connections"]}
    assert shown == {"heroku": None, "acme": "https://syncd.example.com/webhooks/acme"}
