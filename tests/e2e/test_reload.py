"""SIGHUP to the daemon as a process: a wrong file changes nothing, a sound one takes over whole."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import yaml

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.scene import VIEW, Scene, set_up
from syncd.cli.demo.story import ALICE, CUSTOMER, Play
from syncd.cli.exit_code import ExitCode
from tests.e2e.telling import tell_step
from tests.e2e.test_daemon import POLLING, is_open, is_with_customer, wait_for

_SECONDS = 20.0


def reload(scene: Scene, *, until: str) -> None:
    """Send SIGHUP, and wait for one more line of that event in the log."""
    log = scene.folder / "daemon.log"
    before = log.read_text("utf-8").count(until)
    os.kill(scene.world.daemon.process.pid, signal.SIGHUP)

    def problems() -> list[str]:
        return [] if log.read_text("utf-8").count(until) > before else [f"no {until} yet"]

    scene.world.wait_until(until, problems, seconds=_SECONDS)


def test_a_wrong_file_changes_nothing_and_a_mended_one_takes_over_without_losing_work(
    folder: Path,
) -> None:
    with set_up(folder, POLLING) as scene:
        play = Play(scene.world)
        tell_step(play, STEPS[0], seconds=_SECONDS)
        file = scene.world.daemon.config
        sound = file.read_text("utf-8")
        file.write_text(sound.replace("links:", "lnks:"), encoding="utf-8")
        reload(scene, until="config.refused")
        play.on_partner(ALICE, text="Which version is it?", status="pending")
        wait_for(play, "the answer, by the old file", is_with_customer)
        changed = yaml.safe_load(sound)
        changed["links"][VIEW]["comments"]["local_marker"] = "#ours"
        file.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
        scene.world.partner.arm({"action": "delay_before", "kind": "write", "delay_seconds": 1.0})
        play.on_platform(CUSTOMER, text="It is 16.2.")
        reload(scene, until="config.reloaded")
        wait_for(play, "the reply that was on its way", is_open)
        assert scene.world.daemon.stop() == ExitCode.OK
