"""`syncd webhooks` as a person types it, on both desks in miniature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.test_cli import a_sandbox, typed

CONFIG = """\
version: 1
store: sqlite:///{folder}/syncd.db
server: {{listen: "127.0.0.1:0", public_url: "http://127.0.0.1:9"}}
connections:
  heroku: {{kind: platform, url: "{platform}", token: "${{PLATFORM_TOKEN}}", webhooks: managed}}
  acme:
    kind: zendesk
    url: {zendesk}
    oauth: {{client_id: syncd, client_secret: "${{ACME_SECRET}}"}}
    {webhooks}
links:
  acme-postgres:
    platform: heroku/acme-postgres
    partner: {{connection: acme, group: Heroku}}
"""
AUTH = ("syncd@acme.test/token", "sandbox-api-token")


@pytest.fixture(scope="module")
def desks() -> Iterator[dict[str, str]]:
    with a_sandbox("platform") as platform, a_sandbox("zendesk") as zendesk:
        yield {"platform": platform, "zendesk": zendesk}


@pytest.fixture
def folder(tmp_path: Path, desks: dict[str, str]) -> Path:
    for address in desks.values():
        requests.post(f"{address}/_sandbox/reset", timeout=10).raise_for_status()
    configure(tmp_path, desks)
    return tmp_path


def configure(folder: Path, desks: dict[str, str], webhooks: str = "webhooks: managed") -> None:
    text = CONFIG.format(folder=folder, webhooks=webhooks, **desks)
    (folder / "syncd.yaml").write_text(text, encoding="utf-8")


def report(folder: Path, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the rows by their connection."""
    run = typed(folder, "webhooks", *words, "--format", "json")
    rows = json.loads(run.stdout)["webhooks"]
    return run.returncode, {row["connection"]: row for row in rows}


def hooks(desks: dict[str, str]) -> list[dict[str, Any]]:
    answer = requests.get(f"{desks['zendesk']}/api/v2/webhooks", auth=AUTH, timeout=10)
    return list(answer.json()["webhooks"])


def test_webhooks_are_shown_planned_made_and_then_left_alone(
    folder: Path, desks: dict[str, str]
) -> None:
    code, rows = report(folder, "show")
    assert code == 1
    assert {row["faults"][0] for row in rows.values()} == {"missing"}
    assert all("syncd webhooks ensure" in row["hint"] for row in rows.values())

    code, rows = report(folder, "ensure", "--dry-run")
    assert code == 1
    assert all(row["deeds"] == ["create"] for row in rows.values())
    assert hooks(desks) == []

    code, rows = report(folder, "ensure")
    assert code == 0
    assert all((row["deeds"], row["is_sound"]) == (["create"], True) for row in rows.values())
    (hook,) = hooks(desks)
    assert hook["endpoint"] == "http://127.0.0.1:9/webhooks/acme"

    code, rows = report(folder, "ensure")
    assert code == 0
    assert all((row["deeds"], row["is_sound"]) == ([], True) for row in rows.values())
    assert hooks(desks) == [hook]
    assert report(folder, "show")[0] == 0


def test_a_table_says_what_to_do(folder: Path) -> None:
    run = typed(folder, "webhooks", "ensure", "acme", "--dry-run")
    assert run.returncode == 1
    assert "is dry run: yes" in run.stdout
    assert "http://127.0.0.1:9/webhooks/acme" in run.stdout
    assert "run it again without `--dry-run`" in run.stdout
    assert "heroku" not in run.stdout


def test_the_secret_is_printed_for_whoever_configures_it(
    folder: Path, desks: dict[str, str]
) -> None:
    refused = typed(folder, "webhooks", "secret", "acme")
    assert refused.returncode == 2
    assert "syncd webhooks ensure acme" in refused.stderr

    configure(folder, desks, webhooks='webhook_secret: "not-what-zendesk-signs-with"')
    code, rows = report(folder, "ensure", "acme")
    assert code == 1
    assert (rows["acme"]["deeds"], rows["acme"]["faults"]) == (["create"], ["wrong_secret"])
    assert "syncd webhooks secret" in rows["acme"]["hint"]

    told = typed(folder, "webhooks", "secret", "acme")
    assert (told.returncode, told.stderr.count("\n")) == (0, 1), "a warning of the secret in it"
    secret = told.stdout.removesuffix("\n")
    configure(folder, desks, webhooks=f'webhook_secret: "{secret}"')
    assert report(folder, "show", "acme")[0] == 0


def test_one_that_leads_elsewhere_is_moved_only_when_told_to(
    folder: Path, desks: dict[str, str]
) -> None:
    assert report(folder, "ensure", "acme")[0] == 0
    (hook,) = hooks(desks)
    change = {"webhook": {"endpoint": "http://127.0.0.1:9/old"}}
    path = f"{desks['zendesk']}/api/v2/webhooks/{hook['id']}"
    requests.patch(path, json=change, auth=AUTH, timeout=10).raise_for_status()

    _, rows = report(folder, "show", "acme")
    assert rows["acme"]["elsewhere"] == ["http://127.0.0.1:9/old"]
    assert "--move" in rows["acme"]["hint"]

    code, rows = report(folder, "ensure", "acme", "--move")
    assert (code, rows["acme"]["deeds"]) == (0, ["move"])
    assert [each["id"] for each in hooks(desks)] == [hook["id"]]
