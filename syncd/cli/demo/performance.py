"""One performance of the story, for a person: start everything, play, show, judge, clear up.

The story itself is in chapters.py; a performance adds the pauses in which a person reads.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from rich.text import Text

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.compare import Row, compare
from syncd.cli.demo.desks import DeskError
from syncd.cli.demo.platform_side import Kind
from syncd.cli.demo.processes import NotStarted
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.screen import LineScreen, LiveScreen, Screen, verdict
from syncd.cli.demo.story import BOB, Play, Step
from syncd.cli.demo.world import NotReached
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Failure, tell
from syncd.cli.report import console

# At speed 1: time to read a heading before people act, and to look at both desks afterwards.
_READING_SECONDS = 0.8
_LOOKING_SECONDS = 1.5
_SHOW_SECONDS = 0.15
_PATIENCE_SECONDS = 30.0


class Performance:
    """What the command's options ask for."""

    def __init__(
        self,
        *,
        language: Literal["en", "de", "ja"],
        speed: float,
        seed: int,
        is_kept: bool,
        desk: Kind = "platform",
    ) -> None:
        self._tempo = Tempo(language=language, seed=seed, desk=desk)
        # A real desk takes its own time, on a slow machine a lot of it.
        self._patience_seconds = _PATIENCE_SECONDS * (4 if desk == "request_tracker" else 1)
        self._speed = speed
        self._is_kept = is_kept
        self._console = console()

    def play(self) -> ExitCode:
        """Play everything; `ATTENTION` when the desks differ or a step was not reached."""
        folder = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
        with _ended_in_order():
            try:
                rows, is_kept = self._play_in(folder)
            except (NotStarted, NotReached, DeskError) as error:
                hint = f"The logs of all processes are in {folder}."
                first, *others = str(error).splitlines()
                tell(Failure(code=ExitCode.ATTENTION, lines=(first, *others), hint=hint))
                return ExitCode.ATTENTION
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
        return ExitCode.OK if all(row.is_equal for row in rows) else ExitCode.ATTENTION

    def _play_in(self, folder: Path) -> tuple[Sequence[Row], bool]:
        desk = "a platform's desk"
        if self._tempo.desk == "request_tracker":
            desk = "a Request Tracker 5 with a database of its own"
        self._say(f"Starting {desk}, a partner's Zendesk and the daemon…")
        with set_up(folder, self._tempo) as scene:
            play = Play(scene.world)
            with self._screen() as screen:
                for step in STEPS:
                    self._play_step(play, step, screen)
            look = play.look()
            if look.platform is None or look.partner is None:
                raise NotReached("the ticket is not on both desks")
            rows = compare(look.platform, look.partner, look.agreement)
            self._judge(rows)
            if self._is_kept:
                scene.keep()
                self._tell_kept(scene, play)
            return rows, self._is_kept

    def _play_step(self, play: Play, step: Step, screen: Screen) -> None:
        shown_at = 0.0

        def show() -> None:
            nonlocal shown_at
            play.world.daemon.require_alive()
            if time.monotonic() - shown_at >= _SHOW_SECONDS:
                screen.show(play.look())
                shown_at = time.monotonic()

        def wait(seconds: float) -> None:
            until = time.monotonic() + seconds / self._speed
            while time.monotonic() < until:
                show()
                play.world.rest(_SHOW_SECONDS / 3)

        heading = f"Step {step.number}"
        screen.narrate(heading, step.title)
        wait(_READING_SECONDS)
        play.world.between = show
        play.begin(step)
        play.await_step(step, seconds=self._patience_seconds)
        if problems := step.verify(play):
            raise NotReached("\n  ".join((f"step {step.number}:", *problems)))
        if step.aside:
            screen.narrate(heading, f"{step.title} {step.aside}")
        screen.reached(play.look())
        wait(_LOOKING_SECONDS)

    @contextlib.contextmanager
    def _screen(self) -> Iterator[Screen]:
        if not self._console.is_terminal:
            yield LineScreen(self._console)
            return
        withheld = self._tempo.withheld_seconds
        footer = (
            f" Time scale {self._tempo.time_scale}: the minute that Zendesk holds its exports back"
            f" takes {withheld:g} s here. Nothing else is relaxed."
        )
        with LiveScreen(self._console, footer).running() as screen:
            yield screen

    def _judge(self, rows: Sequence[Row]) -> None:
        self._console.print()
        self._console.print(verdict(rows))
        different = sum(not row.is_equal for row in rows)
        if different:
            self._say(f"{different} of {len(rows)} fields differ.", "bold red")
        else:
            self._say(f"All {len(rows)} fields are equal on both desks.", "bold green")

    def _tell_kept(self, scene: Scene, play: Play) -> None:
        world = scene.world
        look = play.look()
        partner_id = look.partner.ticket_id if look.partner else ""
        answer = (
            f'{{"as": "{BOB}", "ticket_id": {partner_id}, "status": "pending",'
            ' "comment": {"text": "Hello!", "public": true}}'
        )
        everything = " ".join(str(pid) for pid in scene.process_ids())
        lines = [
            "",
            f"Heroku, the platform      {world.platform.page}",
            f"Acme, the Zendesk         {world.partner.address}/_sandbox/state",
            f"the daemon                {world.daemon.process.address}/healthz",
            f"configuration, logs       {scene.folder}",
            "",
            "Act as the customer, or as an agent:",
            f"  {world.platform.example(play.ticket_id)}",
            f"  curl -d '{answer}' {world.partner.address}/_sandbox/act",
            "Look at what syncd knows:",
            f"  syncd status -c {world.daemon.config}",
            "End all of it:",
            f"  kill {everything}; rm -r {scene.folder}",
        ]
        for line in lines:
            self._say(line)

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style), soft_wrap=True)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does: with all cleared up."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
