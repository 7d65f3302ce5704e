"""`syncd run` as systemd keeps it: what it tells, and how it comes back when it is ended."""

from __future__ import annotations

import contextlib
import functools
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.processes import NotStarted
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import CUSTOMER, Play
from tests.e2e.keeper import Keeper, kept
from tests.e2e.telling import in_step, tell_step

POLLING = Tempo(has_webhooks=False, poll="200ms", time_scale=300)
_SECONDS = 60.0


@contextlib.contextmanager
def keeping(folder: Path, *, watchdog_seconds: float = 60.0) -> Iterator[tuple[Scene, Keeper]]:
    start = functools.partial(kept, watchdog_seconds=watchdog_seconds)
    with set_up(folder, POLLING, start=start) as scene:
        keeper = scene.world.daemon.process
        assert isinstance(keeper, Keeper)
        yield scene, keeper


def until(scene: Scene, what: str, keeper: Keeper, *lines: str) -> None:
    """Wait until these were told, one after the other, whatever else was."""

    def problems() -> list[str]:
        told = iter(keeper.told())
        missing = [line for line in lines if not any(said.startswith(line) for said in told)]
        return [f"not told: {missing[0]}"] if missing else []

    scene.world.wait_until(what, problems, seconds=_SECONDS)


def test_a_supervisor_hears_of_the_start_each_reload_and_the_end(folder: Path) -> None:
    with keeping(folder, watchdog_seconds=8) as (scene, keeper):
        first = keeper.pid
        assert [line.partition("=")[0] for line in keeper.told()] == ["READY", "STATUS"]
        keeper.send(signal.SIGHUP)
        until(scene, "a reload", keeper, "READY", "RELOADING=1", "MONOTONIC_USEC=", "READY=1")
        text = keeper.config.read_text("utf-8")
        keeper.config.write_text("version: 1\nlinks: []\n", "utf-8")
        keeper.send(signal.SIGHUP)
        until(scene, "a refusal", keeper, "STATUS=a new configuration was refused")
        keeper.config.write_text(text, "utf-8")
        for _ in range(50):
            keeper.send(signal.SIGHUP)
            time.sleep(0.004)
        until(scene, "one more reload", keeper, "STATUS=a new", "RELOADING=1", "READY=1")
        signs = [line for _, line in keeper.heard].count("WATCHDOG=1")
        assert signs > 0
        tell_step(Play(scene.world), STEPS[0], seconds=_SECONDS)
        assert (keeper.deaths, keeper.pid) == ([], first)
        assert keeper.stop() == 0
        assert keeper.told()[-2] == "STOPPING=1"
        assert len(keeper.deaths) == 1, "what was asked to end is not started again"


def test_a_killed_daemon_is_started_again_and_goes_on_where_it_was(folder: Path) -> None:
    with keeping(folder) as (scene, keeper):
        play = Play(scene.world)
        tell_step(play, STEPS[0], seconds=_SECONDS)
        scene.world.partner.arm({"action": "hold_after", "kind": "write"})
        play.on_platform(CUSTOMER, text="Are you still there?")
        scene.world.wait_until(
            "a write without an answer",
            lambda: [] if scene.world.partner.held() else ["none is held"],
            seconds=_SECONDS,
        )
        keeper.kill()
        until(scene, "a second life", keeper, "READY=1", "READY=1")
        keeper.wait_ready()
        in_step(play, "the lost write is found", seconds=_SECONDS)
        assert keeper.deaths == [-signal.SIGKILL]


def test_a_daemon_whose_store_stands_still_is_ended_and_started_again(folder: Path) -> None:
    with keeping(folder, watchdog_seconds=6) as (scene, keeper):
        play = Play(scene.world)
        tell_step(play, STEPS[0], seconds=_SECONDS)
        store = sqlite3.connect(folder / "syncd.db", isolation_level=None)
        with contextlib.closing(store):
            store.execute("BEGIN IMMEDIATE")
            play.on_platform(CUSTOMER, text="Are you still there?")
            scene.world.wait_until(
                "its end", lambda: [] if keeper.deaths else ["it lives"], seconds=_SECONDS
            )
        assert keeper.deaths == [-signal.SIGABRT]
        assert "daemon.stuck" in keeper.log.read_text("utf-8")
        until(scene, "a second life", keeper, "READY=1", "READY=1")
        keeper.wait_ready()
        in_step(play, "what was written meanwhile", seconds=_SECONDS)


def test_a_wrong_configuration_is_not_tried_again(folder: Path) -> None:
    config = folder / "syncd.yaml"
    config.write_text("version: 1\nlinks: []\n", "utf-8")
    with pytest.raises(NotStarted, match="links"):
        kept(config)
    assert config.with_name("daemon.log").read_text("utf-8").count("error: ") == 1


def test_a_store_that_was_put_back_is_not_tried_again(folder: Path) -> None:
    with keeping(folder) as (scene, keeper):
        tell_step(Play(scene.world), STEPS[0], seconds=_SECONDS)
        assert keeper.stop() == 0
        older = sqlite3.connect(folder / "syncd.db", isolation_level=None)
        with contextlib.closing(older):
            older.execute("UPDATE generation SET is_older = 1")
        log = keeper.log
        before = log.read_text("utf-8").count("error: ")
        with pytest.raises(NotStarted, match="syncd recover"):
            kept(keeper.config)
        assert log.read_text("utf-8").count("error: ") == before + 1


def test_a_store_of_a_newer_syncd_is_not_tried_again(folder: Path) -> None:
    with keeping(folder) as (_, keeper):
        assert keeper.stop() == 0
        newer = sqlite3.connect(folder / "syncd.db", isolation_level=None)
        with contextlib.closing(newer):
            newer.execute("UPDATE alembic_version SET version_num = '9999'")
        before = keeper.log.read_text("utf-8").count("error: ")
        with pytest.raises(NotStarted, match="has schema 9999"):
            kept(keeper.config)
        assert keeper.log.read_text("utf-8").count("error: ") == before + 1
