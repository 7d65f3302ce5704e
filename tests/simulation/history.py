"""Play one script from its first event to rest, and say what was seen on the way."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import hashlib
import io
import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random

import structlog

from connectors.sandbox import Release
from syncd.core.model import Side
from syncd.log import configure
from syncd.store.file import connect_writer
from syncd.store.migrate import migrate
from tests.simulation.checker import Checker, Violation
from tests.simulation.clock import VirtualLoop
from tests.simulation.deeds import Deeds
from tests.simulation.desks import PLATFORM, PORTS, SECRETS, Desks
from tests.simulation.flood import Flood
from tests.simulation.ledger import Ledger
from tests.simulation.life import Lives
from tests.simulation.machines import Machines
from tests.simulation.network import Network
from tests.simulation.operator import Operator
from tests.simulation.script import Script, Terms
from tests.simulation.told import ConflictSeen, PairSeen, Report

#: Before it is looked for rest: a withheld minute, a poll, a back-off.
_FIRST_LOOK_SECONDS = 480.0
_NEXT_LOOK_SECONDS = 300.0
#: What Zendesk's exports allow, whatever an account's plan is.
_EXPORTS_PER_MINUTE = 10
#: How long a look at a feed and what follows from it may take.
_ROUND_SECONDS = 60.0
#: How long a sweep may take.
_SWEEP_SECONDS = 240.0
_MOST_LOOKS = 100
#: So often a person lets go on what stopped again; then it is left as it is.
_MOST_LET_GO = 5
#: How long two equal sides are watched for what they cost.
_QUIET_SECONDS = 900.0
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
#: How the folders of histories are named, so that one that was left behind is known.
PREFIX = "syncd-sim-"


@dataclass(kw_only=True)
class Played:
    """What came of a script."""

    script: Script
    digest: str
    violations: list[Violation]
    #: What people did and what syncd wrote, each counted when a desk took it.
    operations: int
    deeds: Mapping[str, int]
    writes: int
    requests: int
    faults: Counter[str]
    kills: Counter[str]
    simulated_seconds: float
    log: str = ""
    trace: list[str] = field(default_factory=list)


#: Where the stores of this process's histories are.
_place = _IN_MEMORY if _IN_MEMORY.is_dir() else None


def keep_in(folder: str) -> None:
    """Keep the stores there from now on: whoever ends this process can then clear them away."""
    global _place  # noqa: PLW0603 - a process plays for one run alone
    _place = Path(folder)


@contextlib.contextmanager
def a_place() -> Iterator[str]:
    """A folder for the histories of several processes, gone at the end."""
    with tempfile.TemporaryDirectory(
        prefix=PREFIX, dir=_place, ignore_cleanup_errors=True
    ) as folder:
        yield folder


def play(script: Script, *, is_traced: bool = False) -> Played:
    """Play it in this thread, on a loop of its own; the same script always plays the same."""
    # Whoever throws the process's own dice, such as a wait before a second try, throws these.
    random.seed(script.terms.seed)
    loop = VirtualLoop()
    log = io.StringIO()
    configure(form="json", level="debug", stream=log)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place))
    # What a collector finds has a say in the loop, and when it looks depends on the whole process.
    gc.disable()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(_History(script, loop, folder, log, is_traced).play())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        structlog.reset_defaults()
        shutil.rmtree(folder)
        gc.enable()


def longest_lag(terms: Terms) -> float:
    """How long people may see something before syncd can: a poll and the minute that exports keep
    back, and one more where polls alone are more than our share of what exports allow.
    """
    looks = 2 * 60 / terms.poll_seconds
    is_held_up = looks > _EXPORTS_PER_MINUTE * terms.share / 100
    return terms.poll_seconds + _ROUND_SECONDS + (60.0 if is_held_up else 0.0)


class _History:
    def __init__(
        self, script: Script, loop: VirtualLoop, folder: Path, log: io.StringIO, is_traced: bool
    ) -> None:
        self._script = script
        self._loop = loop
        self._log = log
        self._is_traced = is_traced
        self._trace: list[str] = []
        self._digest = hashlib.sha256()
        self._folder = folder
        terms = script.terms
        self._network = Network(
            Random(f"{terms.seed} wire"),
            on_exchange=self._exchanged,
            longest_seconds=terms.latency_seconds,
        )
        self._desks = Desks(terms, loop, self._network)
        (folder / "syncd.db").write_bytes(_empty_store(os.getpid()))
        self._lives = Lives(terms, folder, loop, self._network, Random(f"{terms.seed} disk"))
        self._ledger = Ledger()
        self._operator = Operator(self._lives.config, loop, self._network, self._ledger)
        self._deeds = Deeds(
            desks=self._desks,
            lives=self._lives,
            network=self._network,
            loop=loop,
            ledger=self._ledger,
            operator=self._operator,
        )
        self._machines = Machines(
            self._desks,
            self._ledger,
            loop,
            Random(f"{terms.seed} machines"),
            self._deeds.carry_out,
        )
        self._flood = Flood(self._desks, self._network, loop, self._flooded)
        self._deeds.also("machines", self._machines.start)
        self._deeds.also("flood", self._flood.start)
        self._checker = Checker(
            self._desks,
            self._ledger,
            lambda: loop.seconds,
            history_until=terms.starts_at,
            lag_seconds=longest_lag(terms),
            loop_limit=terms.loop_limit,
        )
        self._faults: Counter[str] = Counter()

    async def play(self) -> Played:
        living = asyncio.get_running_loop().create_task(self._lives.run())
        for event in self._script.events:
            await self._until(event.at)
            self._note(f"{event.do} {sorted(event.about.items())}")
            self._deeds.carry_out(event)
            self._checker.look()
        await self._peace()
        is_at_rest = await self._come_to_rest()
        ended = self._loop.seconds
        quiet_from = {name: desk.log.request_count for name, desk in self._desks.all().items()}
        if is_at_rest:
            await asyncio.sleep(_QUIET_SECONDS)
        violations = self._checker.verdict(await self._report(is_at_rest, quiet_from))
        self._lives.end()
        await self._operator.end()
        await living
        for desk in self._desks.all().values():
            await desk.close()
        await self._network.close()
        return self._played(violations, ended)

    # --- the course of things --------------------------------------------------------------------

    async def _until(self, at: float) -> None:
        if at > self._loop.seconds:
            await asyncio.sleep(at - self._loop.seconds)

    async def _peace(self) -> None:
        """From here on nothing goes wrong any more."""
        self._machines.stop()
        await self._flood.end()
        self._flooded()
        self._network.cut.clear()
        self._lives.forget_death()
        for desk in self._desks.all().values():
            desk.faults.clear()
            desk.held.release(Release())
        calm = {"loss": 0, "duplicate": 0, "reorder": 0}
        self._desks.control(PLATFORM, "POST", "/_sandbox/settings", {"webhooks": calm})
        quiet = {f"webhook_{name}": value for name, value in calm.items()}
        for name in self._desks.partners:
            self._desks.control(name, "POST", "/_sandbox/settings", quiet)

    async def _come_to_rest(self) -> bool:
        terms = self._script.terms
        # Some things only the sweep finds, such as a ticket that the platform deleted.
        settling = max(_FIRST_LOOK_SECONDS, terms.sweep_seconds + _SWEEP_SECONDS)
        while not self._lives.is_up:
            # One that was killed last may stay dead for long, and looks at nothing meanwhile.
            await asyncio.sleep(_NEXT_LOOK_SECONDS)
        await asyncio.sleep(settling)
        for look in range(_MOST_LOOKS):
            if await self._operator.put_right(has_history=terms.starts_at > 0):
                # While a link is stopped, no sweep looks at its pairs.
                await asyncio.sleep(settling)
                if look < _MOST_LET_GO:
                    # What goes on may be stopped again by what had piled up.
                    continue
            # What a desk tells again of long ago may be worth a look.
            await self._desks.delivered()
            if await self._is_done():
                # What was written last comes by in the feeds once more, and may be looked at.
                written = self._written()
                await asyncio.sleep(terms.poll_seconds + _ROUND_SECONDS)
                if self._written() == written and await self._is_done():
                    return True
            await asyncio.sleep(_NEXT_LOOK_SECONDS)
        return False

    async def _is_done(self) -> bool:
        made = self._lives.made
        return made is not None and not await made.store.load_due(made.clock.now())

    def _written(self) -> int:
        desks = self._desks.all().values()
        return sum(entry.is_write for desk in desks for entry in desk.log.since(0))

    # --- what is seen ----------------------------------------------------------------------------

    def _exchanged(self, port: int, method: str, path: str, status: int) -> None:
        self._note(f"{port} {method} {path} {status}")
        name = next((name for name, known in PORTS.items() if known == port), None)
        if name is not None and status == HTTPStatus.TOO_MANY_REQUESTS:
            self._refused(name, method, path)
        elif name is not None and method == "PUT" and status:
            self._checker.bounds.taken(name, path)
        elif name is not None and method == "GET" and status == HTTPStatus.OK:
            self._checker.looks.answered(name, path, self._loop.seconds)
        made = self._lives.made
        if made is not None:
            self._checker.bounds.look(queue=len(made.queue), log=self._log.tell())
        if port != PORTS[PLATFORM] and method == "GET":
            return
        self._checker.look()
        self._machines.look()

    def _flooded(self) -> None:
        if (made := self._lives.made) is not None:
            self._checker.strangers.look(made)

    def _refused(self, name: str, method: str, path: str) -> None:
        mine = [
            entry
            for entry in self._desks.all()[name].log.since(0)
            if (entry.method, entry.path, entry.status) == (method, path, 429)
        ]
        if mine and mine[-1].fault is None:
            self._checker.bounds.refused(name, method, path, life=self._lives.begun)

    def _note(self, line: str) -> None:
        line = f"{self._loop.seconds:.6f} {line}"
        self._digest.update(line.encode())
        if self._is_traced:
            self._trace.append(line)

    async def _report(self, is_at_rest: bool, quiet_from: Mapping[str, int]) -> Report:
        """What syncd tells people, and what its requests were while nothing happened."""
        made = self._lives.made
        if made is None:
            return Report(is_at_rest=False, failures=["no daemon is up"])
        desks = self._desks.all().items()
        return Report(
            is_at_rest=is_at_rest,
            pairs=[
                PairSeen(
                    pair_id=str(pair.pair_id),
                    link=pair.link,
                    platform=str(pair.tickets[Side.PLATFORM]),
                    partner=str(pair.tickets[Side.PARTNER] or ""),
                    state=pair.state.value,
                    reason=pair.reason,
                )
                for pair in await made.store.find_pairs(limit=10_000)
            ],
            conflicts=[
                ConflictSeen(
                    link=row.link,
                    platform=str(row.tickets[Side.PLATFORM]),
                    what=row.conflict.name,
                    values=frozenset({row.conflict.platform, row.conflict.partner}),
                )
                for row in await made.store.conflicts(limit=10_000)
            ],
            refused=frozenset(
                (str(row.link), str(row.tickets[Side.PLATFORM]))
                for row in await made.store.refused()
            ),
            quiet=[
                (name, entry.method, entry.template or entry.path)
                for name, desk in desks
                for entry in desk.log.since(quiet_from[name])
            ],
            failures=[
                *self._lives.failures,
                *self._network.failures,
                *self._operator.failures,
            ],
            log=self._log.getvalue(),
            secrets=tuple(SECRETS.values()),
            store=_rows(self._folder / "syncd.db") if self._flood.taken else (),
            kills=self._lives.kills.total(),
        )

    def _played(self, violations: list[Violation], ended: float) -> Played:
        writes = requests = 0
        faults: Counter[str] = Counter()
        for desk in self._desks.all().values():
            for entry in desk.log.since(0):
                requests += 1
                if entry.fault:
                    faults[entry.fault] += 1
                if entry.is_write and entry.is_applied and "webhooks" not in entry.path:
                    writes += 1
        faults.update({k: n for k, n in self._deeds.armed.items() if k in {"cut", "revoke"}})
        deeds = sum(self._ledger.deeds.values())
        return Played(
            script=self._script,
            digest=self._digest.hexdigest(),
            violations=violations,
            operations=deeds + writes,
            deeds=dict(self._ledger.deeds),
            writes=writes,
            requests=requests,
            faults=faults,
            kills=self._lives.kills,
            simulated_seconds=ended,
            log=self._log.getvalue(),
            trace=self._trace,
        )


def _rows(path: Path) -> list[str]:
    """All that a store holds, as SQL."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


@functools.cache
def _empty_store(_process: int) -> bytes:
    """A store of today's schema: made once in a process, copied from then on."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        path.touch()
        connection = connect_writer(path, busy_timeout_seconds=1, is_durable=False)
        migrate(connection, path=path)
        connection.close()
        return path.read_bytes()
