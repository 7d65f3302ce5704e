"""The story between a real Request Tracker and a partner's Zendesk, with every accident on the way.

Polls alone, signed webhooks from RT's own scrip, a daemon killed at every write, RT killed in the
middle. The steps and what must hold after each are those of the other desks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.compare import compare
from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import ALICE, Play
from tests.e2e.reaper import Moment, Reaper
from tests.e2e.telling import tell, tell_step
from tests.support.request_tracker import Room

#: RT answers in a second or two on a busy machine, and a step has several writes.
_STEP_SECONDS = 120.0
#: The story has some fifteen writes to RT, and as many to Zendesk.
_FEWEST_KILLS = 15


def _tempo(seed: Path, *, has_webhooks: bool, poll: str = "300ms") -> Tempo:
    return Tempo(
        desk="request_tracker",
        rt_seed=seed,
        has_webhooks=has_webhooks,
        poll=poll,
        time_scale=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize("line", ["polling only", "webhooks and polling"])
def test_the_story_with_request_tracker_ends_every_step_with_equal_desks(
    line: str, folder: Path, rt_seed: Path, rt_room: Room
) -> None:
    # Beside webhooks polls are rare: what is quick came by webhook.
    is_told = line != "polling only"
    tempo = _tempo(rt_seed, has_webhooks=is_told, poll="5s" if is_told else "300ms")
    with rt_room(), set_up(folder, tempo) as scene:
        play = tell(scene.world, seconds=_STEP_SECONDS)
        look = play.look()
        assert look.platform is not None
        assert look.partner is not None
        assert all(row.is_equal for row in compare(look.platform, look.partner, look.agreement))
        assert scene.world.daemon.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "between"])
def test_a_daemon_killed_at_every_write_to_request_tracker_doubles_and_loses_nothing(
    moment: Moment, folder: Path, rt_seed: Path, rt_room: Room, forked: Callable[[Path], Process]
) -> None:
    tempo = _tempo(rt_seed, has_webhooks=moment == "between", poll="200ms")
    with rt_room(), set_up(folder, tempo, start=forked) as scene:
        reaper = Reaper(scene.world, moment)
        scene.world.between = reaper.tick
        reaper.arm()
        tell(scene.world, seconds=2 * _STEP_SECONDS)
        assert reaper.kills.total() >= _FEWEST_KILLS
        assert reaper.unharmed() == []


@pytest.mark.slow
def test_request_tracker_killed_in_the_middle_of_its_writes_loses_and_doubles_nothing(
    folder: Path, rt_seed: Path, rt_room: Room
) -> None:
    tempo = _tempo(rt_seed, has_webhooks=True, poll="500ms")
    with rt_room(), set_up(folder, tempo) as scene:
        play = Play(scene.world)
        for step in STEPS:
            if step.number in {"2", "7", "9"}:
                _kill_at_first_write(scene)
            tell_step(play, step, seconds=_STEP_SECONDS)
        assert scene.world.platform.held() == []


def test_the_webhook_of_our_own_write_comes_before_its_answer_and_is_no_news(
    folder: Path, rt_seed: Path, rt_room: Room
) -> None:
    """RT runs the scrip inside the request: the echo is there before we know what we wrote."""
    with rt_room(), set_up(folder, _tempo(rt_seed, has_webhooks=True, poll="60s")) as scene:
        play = Play(scene.world)
        tell_step(play, STEPS[0], seconds=_STEP_SECONDS)
        world = scene.world
        seen = world.platform.requests_since(0)["total"]
        logged = len(_log(scene))
        # Held back: whatever comes before it is let go, comes before the answer.
        world.platform.arm({"action": "hold_after", "kind": "write", "times": 1})
        play.on_partner(ALICE, text="Is it there once?")
        (held,) = world.platform.held(wait_seconds=_STEP_SECONDS)
        assert held["method"] == "POST"
        world.wait_until(
            "the webhook before the answer",
            lambda: [] if _webhooks(_log(scene)[logged:]) else ["no webhook yet"],
            seconds=_STEP_SECONDS,
        )
        answered_at = datetime.now().astimezone()
        world.platform.release(held["number"])
        world.wait_until("the answer", lambda: _undone(_log(scene)[logged:]), seconds=_STEP_SECONDS)
        world.wait_quiet(seconds=2)
        events = _log(scene)[logged:]
        (done,) = [one for one in events if one["event"] == "op.done"]
        (told, *_) = _webhooks(events)
        assert datetime.fromisoformat(told["timestamp"]) < answered_at
        assert datetime.fromisoformat(done["timestamp"]) > answered_at
        look = play.look()
        assert look.platform is not None
        assert look.partner is not None
        assert look.platform.count("Is it there once?") == 1
        assert look.partner.count("Is it there once?") == 1
        writes = [
            one
            for one in world.platform.requests_since(seen)["requests"]
            if one["write"] and one["number"] > seen
        ]
        assert [one["path"].rpartition("/")[2] for one in writes] == ["correspond"]


def _kill_at_first_write(scene: Scene) -> None:
    """Let RT carry out the next write, and kill it before anybody learns of that."""
    desk = scene.world.platform
    desk.arm({"action": "hold_after", "kind": "write", "times": 1})

    def tick() -> None:
        for held in desk.held():
            desk.call("POST", "/_sandbox/kill")
            # Its answer is lost with it.
            desk.call("POST", "/_sandbox/release", json={"number": held["number"], "answer": False})
            scene.world.rest(0.5)
            desk.call("POST", "/_sandbox/start")
            scene.world.between = lambda: None

    scene.world.between = tick


def _log(scene: Scene) -> list[dict[str, Any]]:
    lines = (scene.folder / "daemon.log").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _webhooks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one
        for one in events
        if one["event"] == "webhook.accepted" and one.get("connection") == "heroku"
    ]


def _undone(events: list[dict[str, Any]]) -> list[str]:
    is_done = any(one["event"] == "op.done" for one in events)
    return [] if is_done else ["the write is not done"]
