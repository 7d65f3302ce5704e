"""`syncd doctor` against a real Request Tracker, typed as docs/request-tracker.md says."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.request_tracker.sandbox.installed import environment
from tests.support.request_tracker import Place

CONFIG = """\
version: 1
server: {{listen: "127.0.0.1:9", public_url: "http://127.0.0.1:9"}}
store: sqlite:///{folder}/syncd.db
connections:
  heroku:
    kind: request_tracker
    url: {url}
    token: ${{RT_TOKEN}}
    queues: ["{queue}"]
    hand_off: {{queue: Platform}}
    tags_field: Tags
    webhook_secret: ${{RT_SECRET}}
    webhook_path: /webhooks/{mark}
  acme:
    kind: zendesk
    url: http://127.0.0.1:9
    oauth: {{client_id: x, client_secret: "${{RT_SECRET}}"}}
links:
  acme: {{platform: "heroku/{queue}", partner: acme}}
"""
SECRET = "nobody reads this"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shell:
    """The shell of somebody who may log in on RT's machine."""

    folder: Path
    env: dict[str, str]

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def findings(self, line: str) -> tuple[int, list[dict[str, Any]]]:
        done = self.run(f"{line} --format json")
        return done.returncode, json.loads(done.stdout)["findings"]


@pytest.fixture
def shell(request_tracker: Place, tmp_path: Path) -> Shell:
    mark = uuid.uuid4().hex[:8]
    with contextlib.closing(request_tracker.people()) as people:
        people.make_queue(f"Doctor {mark}")
    text = CONFIG.format(
        folder=tmp_path, url=request_tracker.address, queue=f"Doctor {mark}", mark=mark
    )
    (tmp_path / "syncd.yaml").write_text(text, encoding="utf-8")
    rt = environment(request_tracker.folder)
    env = {
        **os.environ,
        **rt,
        "PATH": f"{Path(sys.executable).parent}:{rt['PATH']}",
        "RT_TOKEN": request_tracker.tokens["syncbot"],
        "RT_SECRET": SECRET,
        "SYNCD_CONFIG": str(tmp_path / "syncd.yaml"),
    }
    return Shell(folder=tmp_path, env=env)


TELL = "syncd doctor heroku --script | perl - > told.json"


@pytest.mark.slow
def test_the_documented_lines_lead_from_a_missing_scrip_to_a_content_doctor(shell: Shell) -> None:
    code, findings = shell.findings("syncd doctor heroku")
    assert code == 0, findings
    assert shell.run(TELL).returncode == 0
    code, findings = shell.findings("syncd doctor heroku --told told.json")
    assert code == 1
    (missing,) = [one for one in findings if not one["is_ok"]]
    assert missing["check"] == "scrip"
    commands = shell.run("syncd doctor heroku --told told.json --commands")
    assert commands.stdout.splitlines() == ["syncd doctor heroku --scrip | perl -"]
    assert SECRET not in commands.stdout
    assert shell.run(commands.stdout).returncode == 0
    assert shell.run(TELL).returncode == 0
    code, findings = shell.findings("syncd doctor heroku --told told.json")
    assert (code, [one for one in findings if not one["is_ok"]]) == (0, [])


@pytest.mark.slow
def test_the_table_shows_each_command_below_it_and_the_way_to_the_rest(shell: Shell) -> None:
    shown = shell.run("syncd doctor heroku")
    assert "syncd doctor heroku --script" in shown.stdout
    shell.run(TELL)
    told = shell.run("syncd doctor heroku --told told.json")
    assert "syncd doctor heroku --scrip | perl -" in told.stdout
    assert SECRET not in told.stdout


@pytest.mark.slow
def test_what_the_api_alone_shows_to_be_missing_has_the_command_that_adds_it(shell: Shell) -> None:
    file = shell.folder / "syncd.yaml"
    mark = uuid.uuid4().hex[:8]
    fields = f"tags_field: Labels {mark}\n    stamp_field: Origin {mark}"
    file.write_text(file.read_text("utf-8").replace("tags_field: Tags", fields), "utf-8")
    code, findings = shell.findings("syncd doctor heroku")
    assert code == 1
    missing = {one["check"]: one["remedy"] for one in findings if not one["is_ok"]}
    assert set(missing) == {"stamp field", f"field Labels {mark}"}
    commands = shell.run("syncd doctor heroku --commands")
    assert commands.stdout.splitlines() == list(missing.values())
    # The second time there is nothing left to do.
    for _ in range(2):
        assert shell.run(f"set -e\n{commands.stdout}").returncode == 0
    assert shell.findings("syncd doctor heroku")[0] == 0
    told = shell.run("syncd doctor heroku")
    assert f"Labels {mark}" in told.stdout


@pytest.mark.slow
def test_the_command_for_a_queue_that_is_not_there_says_so_and_makes_none(shell: Shell) -> None:
    file = shell.folder / "syncd.yaml"
    text = file.read_text("utf-8").replace("queue: Platform", "queue: Nowhere")
    file.write_text(text, "utf-8")
    code, findings = shell.findings("syncd doctor heroku")
    assert code == 1
    (missing,) = [one for one in findings if not one["is_ok"]]
    assert (missing["check"], missing["message"]) == ("queues", "missing: Nowhere")
    assert "CreateTicket" in missing["remedy"]
    for _ in range(2):
        done = shell.run(missing["remedy"])
        assert done.returncode != 0
        assert "there is no such queue" in done.stderr
    assert shell.findings("syncd doctor heroku")[1] == findings


def test_an_answer_that_is_none_is_refused_with_the_way_to_get_one(shell: Shell) -> None:
    (shell.folder / "told.json").write_text("command not found: perl\n", encoding="utf-8")
    done = shell.run("syncd doctor heroku --told told.json")
    assert done.returncode != 0
    assert "--script" in done.stderr
