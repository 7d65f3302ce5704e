"""What people do by hand beside a running daemon, typed as they type it, judged by both desks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.platform_side import VIEW
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import ALICE, CUSTOMER, STAFF, Look, Play
from tests.e2e.telling import in_step, tell_step

POLLING = Tempo(has_webhooks=False, poll="200ms", time_scale=300)
_SECONDS = 20.0
#: Longer than a poll and the controller's scan take.
_QUIET = 6.0


def typed(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with the daemon's own file, by another process."""
    command = [sys.executable, "-m", "syncd", *words, "--config", str(scene.world.daemon.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def report(scene: Scene, *words: str) -> Any:
    run = typed(scene, *words, "--format", "json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def does(scene: Scene, *words: str) -> str:
    run = typed(scene, *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


def escalated(scene: Scene) -> Play:
    play = Play(scene.world)
    tell_step(play, STEPS[0], seconds=_SECONDS)
    return play


def written(scene: Scene) -> int:
    return scene.world.platform.write_count() + scene.world.partner.write_count()


def counts(look: Look, text: str) -> tuple[int, int]:
    assert look.platform is not None
    assert look.partner is not None
    return look.platform.count(text), look.partner.count(text)


def test_a_paused_link_rests_over_a_restart_and_then_all_of_it_travels_in_order(
    folder: Path,
) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        assert "paused" in does(scene, "pause", VIEW, "--reason", "a move")
        before = written(scene)
        for number in range(3):
            play.on_platform(CUSTOMER, text=f"Question {number} of the customer.")
            play.on_partner(ALICE, text=f"Answer {number} of the agent.")
        scene.world.rest(_QUIET)
        assert written(scene) == before
        scene.world.daemon.kill()
        scene.world.daemon.start()
        scene.world.rest(_QUIET)
        # A new daemon asks for a token, which is a write as well.
        assert counts(play.look(), "Question 0") == (1, 0)
        assert counts(play.look(), "Answer 0") == (0, 1)
        status = report(scene, "status")
        assert status["links"][0]["pause_reason"] == "a move"
        assert {row["state"]: row["refused"] for row in status["connections"]} == {"up": 0}

        assert "goes on" in does(scene, "resume", VIEW)

        in_step(play, "all six comments on both desks", seconds=_SECONDS)
        look = play.look()
        for shown in (look.platform, look.partner):
            assert shown is not None
            texts = [c.text for c in shown.comments]
            for word in ("Question", "Answer"):
                order = [text for text in texts if word in text]
                assert order == sorted(order, key=lambda text: text.partition(word)[2])
        assert [row["verb"] for row in report(scene, "trail", VIEW)["trail"]] == [
            "resume",
            "pause",
        ]


def test_a_pair_is_parked_replayed_and_unlinked_beside_the_daemon(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        does(scene, "park", "1", "--reason", "a look first")
        play.on_platform(CUSTOMER, text="Is anybody there?")
        scene.world.rest(_QUIET)
        assert counts(play.look(), "Is anybody there?") == (1, 0)
        shown = report(scene, "inspect", "1")
        assert (shown["state"], shown["reason"], shown["is_dirty"]) == ("parked", "by_hand", True)
        does(scene, "retry", "1")
        in_step(play, "the question on both desks", seconds=_SECONDS)

        before = written(scene)
        does(scene, "replay", "1")
        scene.world.rest(_QUIET)
        assert report(scene, "inspect", "1")["is_dirty"] is False
        assert written(scene) == before
        in_step(play, "nothing doubled", seconds=_SECONDS)

        does(scene, "unlink", "1", "--yes", "--reason", "opened by mistake")
        scene.world.platform.act(
            STAFF,
            "update",
            ticket_id=play.ticket_id,
            comment={"body_html": "<p>Only here.</p>", "visibility": "public"},
        )
        scene.world.rest(_QUIET)
        assert counts(play.look(), "Only here.") == (1, 0)
        assert written(scene) == before


def test_what_a_desk_refuses_is_left_beside_the_daemon_and_the_rest_goes_on(folder: Path) -> None:
    with set_up(folder, POLLING) as scene:
        play = escalated(scene)
        scene.world.partner.arm(
            {"action": "status", "status": 422, "kind": "write", "path": "/tickets"}
        )
        scene.world.platform.act(
            CUSTOMER,
            "update",
            ticket_id=play.ticket_id,
            comment={"body_html": "<p>Not for that desk.</p>", "visibility": "public"},
        )

        def is_parked() -> list[str]:
            rows = report(scene, "parked")["parked"]
            return [] if rows else ["it is not parked"]

        scene.world.wait_until("the pair parks", is_parked, seconds=_SECONDS)
        refused = typed(scene, "ignore", "1")
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
        assert "goes on without comment" in does(scene, "ignore", "1", "--yes")
        play.on_platform(CUSTOMER, text="But this one.")
        play.on_partner(ALICE, text="That is fine.")

        def has_travelled() -> list[str]:
            look = play.look()
            found = [counts(look, text) for text in ("But this one.", "That is fine.")]
            return [] if found == [(1, 1), (1, 1)] else [f"{found}"]

        scene.world.wait_until("what follows travels", has_travelled, seconds=_SECONDS)
        scene.world.wait_quiet(seconds=0.7)
        assert counts(play.look(), "Not for that desk.") == (1, 0)
