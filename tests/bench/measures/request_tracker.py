"""What a real Request Tracker costs: requests a change, time, memory, and a slow day of RT's.

One ticket between a private RT 5 and the Zendesk sandbox, by RT's own scrip and by polls. Counts
are the request log of the chassis before RT, and are the same on every machine; times are of this
one. Skipped where RT is not installed.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.request_tracker.sandbox import (
    INSTALL_COMMAND,
    Instance,
    NotInstalled,
    require_installed,
)
from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.scene import Scene, Tempo, set_up
from syncd.cli.demo.story import ALICE, CUSTOMER, STAFF, Play
from tests.bench.figure import Against, Figure, Goal, Json, Measured, rounded
from tests.bench.measures import Bench, Skipped
from tests.bench.request_tracker import Inside
from tests.bench.stopwatch import proportional_bytes, rest, wait_for

_SECONDS = 120.0
_QUIET_SECONDS = 1.5
#: By which every answer of RT is late on its slow day.
_SLOW_SECONDS = 3.0
#: Far enough apart that a poll is rarely in the middle of a write.
_POLL = "3s"
_MIB = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something that a person does, and how to see that it is on the other desk."""

    name: str
    act: Callable[[Play, str], None]
    is_there: Callable[[Stage, str], bool]
    goal: Goal


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Both desks with one ticket on them, and a look inside RT that costs RT nothing."""

    scene: Scene
    play: Play
    inside: Inside
    has_webhooks: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """One change on its way, and what RT was asked because of it."""

    requests: tuple[str, ...]
    writes: int
    milliseconds: float

    @property
    def reads(self) -> int:
        return len(self.requests) - self.writes


# --- what people do ------------------------------------------------------------------------------


def _answer(play: Play, text: str) -> None:
    play.on_partner(ALICE, text=text)


def _note(play: Play, text: str) -> None:
    play.on_partner(ALICE, text=text, audience="shared")


def _answer_and_wait(play: Play, text: str) -> None:
    play.on_partner(ALICE, text=text, status="pending")


def _tag(play: Play, text: str) -> None:
    play.on_partner(ALICE, add_tags=[text])


def _reply(play: Play, text: str) -> None:
    play.on_platform(CUSTOMER, text=text)


def _staff_tag(play: Play, text: str) -> None:
    play.on_platform(STAFF, add_tags=[text])


def _is_said_at_rt(stage: Stage, text: str) -> bool:
    return stage.inside.has_said(text)


def _is_waiting_at_rt(stage: Stage, text: str) -> bool:
    return stage.inside.has_said(text) and stage.inside.status(stage.play.ticket_id) == "stalled"


def _is_tagged_at_rt(stage: Stage, text: str) -> bool:
    return stage.inside.has_value(text)


def _is_said_at_partner(stage: Stage, text: str) -> bool:
    partner = stage.scene.world.partner
    return any(one.count(text) for one in partner.snapshots(partner.state()))


def _is_tagged_at_partner(stage: Stage, text: str) -> bool:
    partner = stage.scene.world.partner
    return any(text in one.tags for one in partner.snapshots(partner.state()))


def _at_most(reads: int, *, writes: int) -> Goal:
    text = f"{writes} write, at most {reads} reads" if writes else f"at most {reads} reads"
    return Goal(text=text, bound=reads + writes)


_CHANGES = (
    Change(
        name="public answer to RT",
        act=_answer,
        is_there=_is_said_at_rt,
        goal=_at_most(2, writes=1),
    ),
    Change(
        name="private note to RT", act=_note, is_there=_is_said_at_rt, goal=_at_most(2, writes=1)
    ),
    Change(
        name="answer and status to RT",
        act=_answer_and_wait,
        is_there=_is_waiting_at_rt,
        goal=_at_most(2, writes=1),
    ),
    Change(name="tag to RT", act=_tag, is_there=_is_tagged_at_rt, goal=_at_most(2, writes=1)),
    Change(
        name="customer's reply from RT",
        act=_reply,
        is_there=_is_said_at_partner,
        goal=_at_most(3, writes=0),
    ),
    Change(
        name="tag from RT",
        act=_staff_tag,
        is_there=_is_tagged_at_partner,
        goal=_at_most(3, writes=0),
    ),
)


# --- the measure ---------------------------------------------------------------------------------


def measure(bench: Bench) -> Measured:
    """Counts and times by webhook and by polling, then a slow RT, then memory. Raises Skipped."""
    try:
        require_installed()
    except NotInstalled as error:
        raise Skipped(f"{error}; `{INSTALL_COMMAND}` installs it") from error
    seed = bench.folder / "seed"
    seed.mkdir()
    bench.say("setting up an RT to copy")
    Instance(seed).make()
    figures: list[Figure] = []
    raw: Json = {}
    for way, has_webhooks in (("by webhook", True), ("by polling", False)):
        with _stage(bench.folder / way.replace(" ", "-"), seed, has_webhooks) as stage:
            fresh = _memory_of_rt(stage)
            for change in _CHANGES:
                figures += _measure_change(bench, stage, change, way=way, raw=raw)
            if has_webhooks:
                figures += _slow_day(bench, stage, raw)
                figures += _memory(stage, fresh)
            else:
                figures.append(_polls(bench, stage))
    return Measured(
        title="Request Tracker",
        figures=tuple(figures),
        conditions=(
            "Debian's Request Tracker 5 with SQLite, 3 workers and BcryptCost 4, behind the chassis"
            " that counts its requests; one ticket, one change at a time, each once both desks are"
            " quiet.",
            "Requests to RT for one change, the echo of our own write and what follows it included."
            f" By webhook the polls are ten minutes apart; by polling they are {_POLL} apart and"
            " not counted, but what they read because of news is.",
            "Times are from the person's click until the other desk has committed it, looked at"
            " every 10 ms without asking RT. The floor is a bare reply by REST on the same RT,"
            " made in turns with the changes.",
            f"On the slow day each answer of RT comes {_SLOW_SECONDS:g} s late.",
            "Memory is the proportional set size of all processes: a shared page counts once."
            " RT's is that of its server with 3 workers, without the chassis.",
        ),
        raw=raw,
    )


@contextlib.contextmanager
def _stage(folder: Path, seed: Path, has_webhooks: bool) -> Iterator[Stage]:
    folder.mkdir()
    tempo = Tempo(
        desk="request_tracker",
        rt_seed=seed,
        has_webhooks=has_webhooks,
        poll="10m" if has_webhooks else _POLL,
        time_scale=120,
    )
    with set_up(folder, tempo) as scene:
        play = Play(scene.world)
        play.begin(STEPS[0])
        with contextlib.closing(Inside(folder / "request-tracker")) as inside:
            play.await_step(STEPS[0], seconds=_SECONDS)
            stage = Stage(scene=scene, play=play, inside=inside, has_webhooks=has_webhooks)
            _wait_quiet(stage)
            yield stage


def _measure_change(
    bench: Bench, stage: Stage, change: Change, *, way: str, raw: Json
) -> Sequence[Figure]:
    name = f"{change.name}, {way}"
    bench.say(name)
    taken: list[Taken] = []
    floor: list[float] = []
    for number in range(bench.times(5, 1)):
        floor.append(_bare(stage))
        taken.append(_take(stage, change, number))
    raw[name] = [list(one.requests) for one in taken]
    made = statistics.median(one.writes for one in taken)
    read = statistics.median(one.reads for one in taken)
    count = Figure(
        name=name,
        unit="requests",
        runs=tuple(float(len(one.requests)) for one in taken),
        against=Against(name="floor: one", runs=(1.0,)),
        goal=change.goal,
        detail=f"{made:g} write, {read:g} read",
        digits=0,
    )
    if not stage.has_webhooks:
        # What a change waits for is the next poll.
        return (count,)
    return count, _time(name, taken, Against(name="floor: a bare reply", runs=rounded(floor, 1)))


def _time(name: str, taken: Sequence[Taken], against: Against) -> Figure:
    return Figure(
        name=f"{name}, time",
        unit="ms",
        runs=rounded([one.milliseconds for one in taken], 1),
        against=against,
        digits=0,
    )


def _take(stage: Stage, change: Change, number: int) -> Taken:
    """Make one change on quiet desks; see it arrive, and what follows its echo."""
    platform = stage.scene.world.platform
    before = _wait_quiet(stage)
    text = f"product-{''.join(c for c in change.name if c.isalnum())}-{number}-{before}".lower()
    started = time.monotonic()
    change.act(stage.play, text)
    wait_for(change.name, lambda: change.is_there(stage, text), seconds=_SECONDS)
    milliseconds = 1000 * (time.monotonic() - started)
    _wait_quiet(stage, since=before)
    asked = [one for one in platform.requests_since(before)["requests"] if not _is_poll(one)]
    return Taken(
        requests=tuple(f"{one['method']} {one['path'].split('/')[3]}" for one in asked),
        writes=sum(one["write"] for one in asked),
        milliseconds=milliseconds,
    )


def _bare(stage: Stage) -> float:
    """What RT itself takes for a reply, in milliseconds."""
    started = time.monotonic()
    stage.inside.reply()
    return 1000 * (time.monotonic() - started)


def _slow_day(bench: Bench, stage: Stage, raw: Json) -> Sequence[Figure]:
    bench.say("a slow RT")
    slow: dict[str, object] = {
        "action": "delay_after",
        "kind": "any",
        "times": None,
        "delay_seconds": _SLOW_SECONDS,
    }
    stage.scene.world.platform.arm(slow)
    try:
        answers = [_take(stage, _CHANGES[0], 100 + n) for n in range(bench.times(3, 1))]
        replies = [_take(stage, _CHANGES[4], 100 + n) for n in range(bench.times(3, 1))]
    finally:
        stage.scene.world.platform.disarm()
    figures = []
    for change, taken in ((_CHANGES[0], answers), (_CHANGES[4], replies)):
        name = f"{change.name}, each answer {_SLOW_SECONDS:g} s late"
        raw[name] = [list(one.requests) for one in taken]
        late = Against(name="floor: one late answer", runs=(1000 * _SLOW_SECONDS,))
        figures.append(_time(name, taken, late))
    return figures


def _polls(bench: Bench, stage: Stage) -> Figure:
    """Of a ticket that is left alone: all that RT is asked, against the polls in it."""
    platform = stage.scene.world.platform
    before = _wait_quiet(stage)
    rest(bench.times(20, 3))
    asked = platform.requests_since(before)["requests"]
    polls = [one for one in asked if _is_poll(one)]
    return Figure(
        name="a poll without news",
        unit="requests",
        runs=(len(asked) / max(1, len(polls)),),
        against=Against(name="floor: one", runs=(1.0,)),
        goal=Goal(text="1 request", bound=1.0),
    )


def _memory(stage: Stage, fresh: int) -> Sequence[Figure]:
    _wait_quiet(stage)
    daemon, *_ = stage.scene.process_ids()
    of_rt = _memory_of_rt(stage)
    return (
        Figure(
            name="memory of RT after all that",
            unit="MiB",
            runs=(round(of_rt / _MIB, 1),),
            against=Against(name="before", runs=(round(fresh / _MIB, 1),)),
        ),
        Figure(
            name="memory of syncd beside it",
            unit="MiB",
            runs=(round(proportional_bytes(daemon) / _MIB, 1),),
            against=Against(name="RT", runs=(round(of_rt / _MIB, 1),)),
        ),
    )


def _memory_of_rt(stage: Stage) -> int:
    _, chassis, *_ = stage.scene.process_ids()
    return proportional_bytes(chassis) - proportional_bytes(chassis, is_alone=True)


def _wait_quiet(stage: Stage, *, since: int = 0) -> int:
    """Wait until nothing but polls was asked for a while, and all after `since` is answered.

    Returns how many requests have come by then.
    """
    platform = stage.scene.world.platform
    until = time.monotonic() + _SECONDS
    asked, quiet_at = 0, time.monotonic()
    while True:
        news = platform.requests_since(since)
        others = [one for one in news["requests"] if not _is_poll(one)]
        if len(others) != asked or any(one["status"] is None for one in others):
            asked, quiet_at = len(others), time.monotonic()
        if time.monotonic() - quiet_at >= _QUIET_SECONDS:
            return int(news["total"])
        if time.monotonic() > until:
            raise TimeoutError("RT is still asked")
        rest(0.05)


def _is_poll(request: Json) -> bool:
    return request["path"].endswith("/transactions") and ["order", "ASC"] in request["query"]
