"""`syncd doctor` as a person types it, on desks in miniature that are well, late or wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors.platform.sandbox import PlatformDesk, PlatformSandbox
from connectors.sandbox import Fault, Sandbox, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from syncd.cli.demo.scene import Tempo, set_up
from syncd.cli.demo.world import World
from tests.e2e.test_cli import CONFIG, ENV, SYNCD, on_a_terminal, typed
from tests.support.serve import served_in_thread

WEBHOOKS = Tempo(has_webhooks=True, poll="1h", time_scale=300)


class Desks:
    """Both desks, on a clock of their own each."""

    def __init__(self, folder: Path, stack: ExitStack, *, ahead: dict[str, float]) -> None:
        self.folder = folder
        self.platform = PlatformSandbox(PlatformDesk(time=_clock(ahead.get("heroku", 0))))
        self.partner = ZendeskSandbox(time=_clock(ahead.get("acme", 0)))
        addresses = {
            "platform": stack.enter_context(served_in_thread(self.platform)),
            "zendesk": stack.enter_context(served_in_thread(self.partner)),
        }
        folder.chmod(0o700)
        text = CONFIG.format(folder=folder, port=9, **addresses)
        (folder / "syncd.yaml").write_text(text, encoding="utf-8")

    def findings(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        run = typed(self.folder, "doctor", *words, "--format", "json")
        return run.returncode, json.loads(run.stdout)["findings"]


def _clock(ahead_seconds: float) -> SandboxTime:
    return SandboxTime(now=lambda: time.time() + ahead_seconds, scale=60)


@pytest.fixture
def desks(folder: Path) -> Iterator[Desks]:
    with ExitStack() as stack:
        yield Desks(folder, stack, ahead={})


def ailments(found: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The codes of what is not well, by connection; this machine's by an empty name."""
    by_name: dict[str, set[str]] = {}
    for one in found:
        if one["code"] not in {
            "",
            "desk.advice",
            "backup.elsewhere",
            "daemon.absent",
            "store.missing",
        }:
            by_name.setdefault(one["connection"] or "", set()).add(one["code"])
    return by_name


def requests_of(desk: Sandbox) -> int:
    return desk.log.request_count


def spoil_webhooks(world: World) -> None:
    """The partner's tells of one thing only, the platform's is gone."""
    account = {"auth": (world.partner.email + "/token", world.partner.api_token)}
    (hook,) = world.partner.call("GET", "/api/v2/webhooks", **account)["webhooks"]
    less = {"webhook": {"subscriptions": ["zen:event-type:ticket.created"]}}
    world.partner.call("PATCH", f"/api/v2/webhooks/{hook['id']}", json=less, **account)
    (hook,) = world.platform.state()["webhooks"]
    bearer = {"headers": {"Authorization": "Bearer platform-token"}}
    world.platform.call("DELETE", f"/webhooks/{hook['id']}", **bearer)


def test_on_the_demo_the_printed_commands_lead_to_a_content_doctor(folder: Path) -> None:
    with set_up(folder, WEBHOOKS) as scene:
        folder.chmod(0o700)
        run = typed(folder, "doctor", "--format", "json")
        assert (run.returncode, ailments(json.loads(run.stdout)["findings"])) == (0, {})
        assert "webhook.broken" not in scene.world.daemon.process.last_lines()
        spoil_webhooks(scene.world)
        run = typed(folder, "doctor", "--format", "json")
        assert run.returncode == 1
        found = {"acme": {"webhook.unsound"}, "heroku": {"webhook.unsound"}}
        assert ailments(json.loads(run.stdout)["findings"]) == found
        commands = typed(folder, "doctor", "--commands").stdout.splitlines()
        assert commands == ["syncd webhooks ensure acme", "syncd webhooks ensure heroku"]
        for command in commands:
            assert typed(folder, *command.split()[1:]).returncode == 0
        writes = scene.world.platform.write_count()
        run = typed(folder, "doctor", "--all")
        assert (run.returncode, run.stderr) == (0, ""), run.stdout
        assert scene.world.platform.write_count() == writes
        assert "\x1b" not in run.stdout
        for area in ("daemon: ready", "heroku · webhook", "acme · webhook", "acme · clock"):
            assert f"ok       {area}" in run.stdout
        assert "and this address answers" in run.stdout
        assert "webhook.rejected" not in scene.world.daemon.process.last_lines()


def test_a_sound_pair_of_desks_has_no_ailment_and_costs_few_requests(desks: Desks) -> None:
    code, found = desks.findings()
    assert (code, ailments(found)) == (0, {})
    assert requests_of(desks.platform) == 1
    # The token, who we are, its scopes, the export, triggers, automations, group: as `check` asks.
    checked = requests_of(desks.partner)
    assert typed(desks.folder, "check", "--online").returncode == 0
    assert requests_of(desks.partner) == 2 * checked


def test_clocks_of_desks_are_compared_with_ours(folder: Path) -> None:
    with ExitStack() as stack:
        desks = Desks(folder, stack, ahead={"acme": 100})
        code, found = desks.findings()
        assert (code, ailments(found)) == (1, {"acme": {"clock.differs"}})
    with ExitStack() as stack:
        desks = Desks(folder, stack, ahead={"heroku": -2000})
        assert ailments(desks.findings()[1]) == {"heroku": {"clock.far"}}
    with ExitStack() as stack:
        desks = Desks(folder, stack, ahead={"heroku": 300, "acme": 302})
        assert ailments(desks.findings()[1]) == {"": {"clock.here"}}


def test_a_desk_that_hangs_is_left_in_time_and_the_other_is_examined(desks: Desks) -> None:
    desks.partner.faults.arm(Fault(action="hold_before", times=None))
    began = time.monotonic()
    code, found = desks.findings("--within", "2")
    assert time.monotonic() - began < 15
    assert (code, ailments(found)) == (3, {"acme": {"line.silent"}})
    assert any(one["connection"] == "heroku" and one["check"] == "scopes" for one in found)


def test_a_desk_that_is_out_of_order_and_a_proxys_page_are_told_apart(desks: Desks) -> None:
    desks.platform.faults.arm(Fault(action="status", status=503, times=None))
    assert ailments(desks.findings("heroku")[1]) == {"heroku": {"line.broken"}}
    desks.platform.faults.clear()
    desks.platform.faults.arm(Fault(action="html", status=200, times=None))
    assert ailments(desks.findings("heroku")[1]) == {"heroku": {"line.riddle"}}


def test_a_revoked_token_is_lacking_at_its_desk_alone(desks: Desks) -> None:
    config = desks.folder / "syncd.yaml"
    text = config.read_text("utf-8").replace("${PLATFORM_TOKEN}", "${REVOKED}")
    config.write_text(text, encoding="utf-8")
    ENV["REVOKED"] = "revoked-token"
    try:
        code, found = desks.findings()
    finally:
        del ENV["REVOKED"]
    assert (code, ailments(found)) == (1, {"heroku": {"desk.lacks"}})
    (one,) = [one for one in found if one["code"] == "desk.lacks"]
    assert one["hint"]


def test_a_spent_quota_is_seen_in_the_same_answers(desks: Desks) -> None:
    desks.platform.faults.arm(
        Fault(action="status", status=429, times=None, headers=(("retry-after", "3"),))
    )
    found = ailments(desks.findings("heroku")[1])
    assert found == {"heroku": {"line.limited", "budget.spent"}}


def test_a_hostile_name_at_a_desk_cannot_reach_the_terminal(desks: Desks) -> None:
    register = desks.platform.platform.register
    hostile = "\x1b]0;owned\x07\x1b[2J\u202egnp"
    register.views.add(hostile)
    for words in (["--all"], ["--format", "csv"], ["--format", "json"], ["--commands"]):
        run = typed(desks.folder, "doctor", *words)
        assert run.returncode == 0, run.stderr
        assert not {"\x1b", "\x07", "\u202e"} & set(run.stdout + run.stderr)


def test_on_a_terminal_it_shows_how_far_it_is_and_in_colour_unless_that_is_unwanted(
    desks: Desks,
) -> None:
    desks.partner.faults.arm(Fault(action="status", status=503, times=None))
    env = {**ENV, "TERM": "xterm-256color", "SYNCD_CONFIG": str(desks.folder / "syncd.yaml")}
    env.pop("NO_COLOR", None)
    shown = on_a_terminal([*SYNCD, "doctor"], env)
    assert "Asking desks" in shown
    assert "\x1b[1;31mwrong\x1b[0m" in shown
    plain = on_a_terminal([*SYNCD, "doctor", "--offline"], {**env, "NO_COLOR": "1"})
    assert "\x1b[36m" not in plain
    assert "note" in plain


def test_offline_no_desk_is_asked(desks: Desks) -> None:
    assert desks.findings("--offline")[0] == 0
    assert (requests_of(desks.platform), requests_of(desks.partner)) == (0, 0)


def test_a_public_address_that_leads_to_another_program_is_told(folder: Path) -> None:
    with set_up(folder, WEBHOOKS) as scene:
        folder.chmod(0o700)
        listen = scene.world.daemon.process.address.removeprefix("http://")
        other = (
            (folder / "syncd.yaml")
            .read_text("utf-8")
            .replace(f"public_url: http://{listen}", f"public_url: {scene.world.partner.address}")
        )
        (folder / "other.yaml").write_text(other, encoding="utf-8")
        (folder / "other.yaml").chmod(0o600)
        run = typed(folder, "doctor", "--config", "other.yaml", "--format", "json")
        found = ailments(json.loads(run.stdout)["findings"])
        assert run.returncode == 1
        # The desks' webhooks lead to the daemon still, and not to that address.
        assert found["acme"] == {"webhook.elsewhere", "webhook.unsound"}
        assert "" not in found
