"""What a daemon, and `syncd status` beside it, tell whoever watches while a desk fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import CUSTOMER, Look, Play
from tests.e2e.telling import tell_step
from tests.support.promtool import NEEDS_PROMTOOL, promtool

POLLING = Tempo(has_webhooks=False, poll="200ms", time_scale=300)
_SECONDS = 40.0


def page(scene: Scene) -> bytes:
    answer = requests.get(f"{scene.world.daemon.process.address}/metrics", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.content


def values(scene: Scene, name: str, **labels: str) -> list[float]:
    return [
        sample.value
        for family in text_string_to_metric_families(page(scene).decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def wait_for(scene: Scene, what: str, name: str, at_least: float, **labels: str) -> None:
    def problems() -> list[str]:
        found = sum(values(scene, name, **labels))
        return [] if found >= at_least else [f"{name} is {found}"]

    scene.world.wait_until(what, problems, seconds=_SECONDS)


def checked(scene: Scene) -> tuple[int, str]:
    """What monitoring is told by the command, beside the daemon."""
    command = [sys.executable, "-m", "syncd", "status", "--check"]
    done = subprocess.run(
        [*command, "-c", str(scene.world.daemon.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def syncd(scene: Scene, *words: str) -> None:
    command = [sys.executable, "-m", "syncd", *words, "-c", str(scene.world.daemon.config)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def escalated(scene: Scene) -> Play:
    play = Play(scene.world)
    tell_step(play, STEPS[0], seconds=_SECONDS)
    return play


def is_open(look: Look) -> None:
    look.status(platform="Open", partner="open")


@NEEDS_PROMTOOL
def test_the_page_of_a_working_daemon_is_as_prometheus_wants_it(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        escalated(scene)
        assert promtool("check", "metrics", page=page(scene)) == (0, "")
        assert sum(values(scene, "syncd_requests_total", method="POST", status="201")) >= 1
        assert sum(values(scene, "syncd_journal_operations_total", state="done")) >= 1
        assert sum(values(scene, "syncd_commit_duration_seconds_count")) >= 1
        for secret in scene.world.daemon.config.parent.glob("*secret*"):
            assert secret.read_bytes().strip() not in page(scene)


def test_a_desk_that_fails_shows_as_lag_in_its_direction_and_is_gone_when_it_is_back(
    folder: Path,
) -> None:
    with set_up(folder, POLLING) as scene:
        play, world = escalated(scene), scene.world
        code, said = checked(scene)
        assert (code, said.split(" - ")[0]) == (0, "SYNCD OK"), said
        # An echo that is still to come would be news of the other direction.
        world.wait_quiet(seconds=1)
        world.partner.arm({"action": "status", "status": 503, "times": None})
        play.on_platform(CUSTOMER, text="Are you still there?")
        wait_for(scene, "the lag", "syncd_lag_seconds", 1, direction="to_partner")
        assert values(scene, "syncd_lag_seconds", direction="to_platform") == [0]
        assert sum(values(scene, "syncd_requests_total", status="503")) >= 1
        # A write that fails says little of a desk; the next poll does.
        world.wait_until(
            "the desk that is down",
            lambda: ["both are up"] if all(values(scene, "syncd_connection_up")) else [],
            seconds=_SECONDS,
        )
        assert sorted(values(scene, "syncd_connection_up")) == [0, 1]
        assert values(scene, "syncd_ready") == [1], "a desk takes nobody's readiness away"
        assert requests.get(f"{world.daemon.process.address}/readyz", timeout=5).ok
        (link,) = world.daemon.report("status")["links"]
        assert link["lag_to_partner_seconds"] >= 1
        world.partner.disarm()

        def problems() -> list[str]:
            look = play.look()
            is_open(look)
            play.check_promises(look)
            return look.problems

        world.wait_until("the reply", problems, seconds=_SECONDS)
        world.wait_until(
            "no lag",
            lambda: ["it lags"] if sum(values(scene, "syncd_lag_seconds")) else [],
            seconds=_SECONDS,
        )
        assert sorted(values(scene, "syncd_connection_up")) == [1, 1]


def test_monitoring_hears_of_a_pause_a_refused_credential_and_a_daemon_that_is_gone(
    folder: Path,
) -> None:
    with set_up(folder, POLLING) as scene:
        play, world = escalated(scene), scene.world
        link = str(world.daemon.report("status")["links"][0]["link"])
        syncd(scene, "pause", link, "--reason", "a trial")
        code, said = checked(scene)
        assert (code, said.split(" |")[0]) == (1, f"SYNCD WARNING - {link}: paused by a person")
        wait_for(scene, "the pause", "syncd_link_paused", 1, link=link)
        syncd(scene, "resume", link)
        world.partner.arm({"action": "status", "status": 401, "times": None})
        play.on_platform(CUSTOMER, text="Hello?")
        wait_for(scene, "the refusal", "syncd_connection_unauthorised", 1)
        code, said = checked(scene)
        assert code == 2
        assert "the desk refuses the credential" in said
        wait_for(scene, "the verdict", "syncd_health_level", 2)

        def problems() -> list[str]:
            # The pause is told for some seconds more: the store is asked no oftener.
            told = requests.get(f"{world.daemon.process.address}/healthz", timeout=5).json()
            kinds = [trouble["kind"] for trouble in told["troubles"]]
            is_so = (told["level"], kinds) == ("critical", ["unauthorised"])
            return [] if is_so else [f"{told['level']}: {kinds}"]

        world.wait_until("the judgement", problems, seconds=_SECONDS)
        world.daemon.stop()
        code, said = checked(scene)
        assert (code, said.split(" |")[0]) == (2, "SYNCD CRITICAL - syncd: no daemon answers")
