"""The daemon as a process: how it starts, ends, starts again, and what reaches it from outside."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.processes import NotStarted, start_daemon
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import ALICE, CUSTOMER, Look, Play, Step
from syncd.cli.exit_code import ExitCode
from tests.e2e.telling import tell_step

POLLING = Tempo(has_webhooks=False, poll="200ms", time_scale=300)
# Nothing comes by a poll while the test runs.
WEBHOOKS = Tempo(has_webhooks=True, poll="1h", time_scale=300)
_SECONDS = 20.0


def escalated(scene: Scene) -> Play:
    """The story up to its first step: one ticket on both desks."""
    play = Play(scene.world)
    tell_step(play, STEPS[0], seconds=_SECONDS)
    return play


def wait_for(play: Play, what: str, check: Callable[[Look], None]) -> None:
    """Wait until a check holds, and with it all promises."""

    def problems() -> list[str]:
        look = play.look()
        check(look)
        play.check_promises(look)
        return look.problems

    play.world.wait_until(what, problems, seconds=_SECONDS)


def is_open(look: Look) -> None:
    look.status(platform="Open", partner="open")


def is_with_customer(look: Look) -> None:
    look.status(platform="With customer", partner="pending")


def they_cross(play: Play) -> None:
    play.on_partner(ALICE, text="Please restart the app.", status="pending")
    play.on_platform(CUSTOMER, text="I have restarted it.")


def is_kept_open(look: Look) -> None:
    is_open(look)
    look.noted("partner", "The customer had written before this status was set")


def health(scene: Scene) -> requests.Response:
    return requests.get(f"{scene.world.daemon.process.address}/healthz", timeout=5)


def test_a_started_daemon_is_ready_and_well(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        address = scene.world.daemon.process.address
        assert requests.get(f"{address}/readyz", timeout=5).status_code == 200
        assert health(scene).json()["ready"] is True
        assert scene.world.daemon.stop() == ExitCode.OK


def test_a_daemon_told_to_end_takes_the_answer_of_its_write_first(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        world = scene.world
        world.partner.arm({"action": "hold_after", "kind": "write", "path": "/tickets"})
        play.on_platform(CUSTOMER, text="Are you still there?")
        assert world.partner.held(wait_seconds=_SECONDS) != []
        process = world.daemon.process
        process.terminate()
        world.rest(0.5)
        assert process.exit_code is None, "it went without the answer"
        world.partner.release()
        assert world.daemon.stop() == ExitCode.OK
        assert "op.done" in process.last_lines()
        world.daemon.start()
        play.on_platform(CUSTOMER, text="Good.")
        wait_for(play, "both replies, once", is_open)
        assert "op.found" not in world.daemon.process.last_lines()


def test_what_people_do_while_the_daemon_is_away_travels_when_it_is_back(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        assert scene.world.daemon.stop() == ExitCode.OK
        step = Step(
            number="0",
            title="Alice waits for a customer who has replied",
            act=they_cross,
            expect=is_kept_open,
            partner_notes=1,
        )
        play.begin(step)
        scene.world.daemon.start()
        play.await_step(step, seconds=_SECONDS)


def test_a_crash_leaves_no_file_however_large_the_shell_allows_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        with set_up(folder, POLLING) as scene:
            resource.setrlimit(resource.RLIMIT_CORE, before)
            escalated(scene)
            process = scene.world.daemon.process
            limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="utf-8")
            (found,) = [line.split() for line in limits.splitlines() if "core file" in line]
            assert found[4:6] == ["0", "0"]
            os.kill(process.pid, signal.SIGABRT)
            assert process.stop() == -signal.SIGABRT
            assert list(folder.rglob("core*")) == []
            scene.world.daemon.start()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_second_daemon_on_the_same_store_does_not_start(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        with pytest.raises(NotStarted, match="another process"):
            start_daemon(scene.world.daemon.config)
        play.on_platform(CUSTOMER, text="Hello?")
        wait_for(play, "the first daemon works on", is_open)


def test_webhooks_carry_both_directions_while_no_poll_is_due(folder: Path) -> None:
    with set_up(folder, WEBHOOKS) as scene:
        play = escalated(scene)
        play.on_partner(ALICE, text="Which version is it?", status="pending")
        wait_for(play, "the answer", is_with_customer)
        play.on_platform(CUSTOMER, text="It is 16.2.")
        wait_for(play, "the reply", is_open)


def test_a_forged_webhook_is_refused_and_changes_nothing(folder: Path) -> None:
    with set_up(folder, WEBHOOKS) as scene:
        play = escalated(scene)
        requests_before = scene.world.partner.requests_since(0)["total"]
        for path in ("acme", "heroku"):
            answer = requests.post(
                f"{scene.world.daemon.process.address}/webhooks/{path}",
                json={"type": "zen:event-type:ticket.status_changed", "detail": {"id": "4001"}},
                timeout=5,
            )
            assert answer.status_code == 401
        assert health(scene).json()["counts"]["webhook.rejected"] == 2
        scene.world.wait_quiet(seconds=0.5)
        assert scene.world.partner.requests_since(0)["total"] == requests_before
        wait_for(play, "all as before", is_open)


def test_a_desk_that_fails_for_a_while_gets_everything_once_it_is_back(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        world = scene.world
        world.partner.arm({"action": "html", "status": 503, "times": 12})
        play.on_platform(CUSTOMER, text="First, while Zendesk is in maintenance.")
        play.on_platform(CUSTOMER, text="Second, right after it.")
        wait_for(play, "both replies, once and in order", is_open)
        # The last answer is on the desk before it is in the store.
        world.wait_quiet(seconds=0.5)
        assert health(scene).json()["queue"] == 0
