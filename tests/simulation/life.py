"""One life of the daemon after the other: how it is put together, how it dies, what is left.

The parts are the product's own, the store's file included; only threads, sockets and the clock are
not the machine's. A life that is killed changes nothing any more, neither on disk nor on a desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextvars import Context, ContextVar
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx

from config.load import load_text
from config.loaded import Config
from connectors import registry
from syncd.app import Parts, parts
from syncd.daemon import Daemon
from syncd.store import SqliteStore, open_store
from tests.simulation.clock import LoopClock, LoopExecutor, VirtualLoop
from tests.simulation.desks import ADDRESSES, OWN_PORT, PLATFORM, SECRETS, VIEWS
from tests.simulation.network import Network, Wire
from tests.simulation.script import Terms

T = TypeVar("T")

#: As long as a supervisor takes to start a process again.
_RESTART_SECONDS = 3.0
_GRACE_SECONDS = 25.0
#: A death that waits for a moment does not wait longer than this.
_PATIENCE_SECONDS = 900.0


class Killed(BaseException):
    """The process is gone; nobody may catch this and go on."""


#: The tasks of the life that a task belongs to, oldest first.
_TASKS: ContextVar[dict[asyncio.Task[Any], None] | None] = ContextVar("tasks", default=None)


class Death:
    """When the daemon is to die: at the count-th moment of a kind from now on."""

    def __init__(self, moment: str, count: int, down_seconds: float) -> None:
        self.moment = moment
        self.left = count
        self.down_seconds = down_seconds


class Lives:
    """Keeps a daemon running until told otherwise, and kills it as told."""

    def __init__(
        self, terms: Terms, folder: Path, loop: VirtualLoop, network: Network, chance: Random
    ) -> None:
        self._folder = folder
        self._loop = loop
        self._network = network
        self._chance = chance
        self.config = a_config(terms, folder)
        self._starts_at = terms.starts_at
        self._clock = LoopClock(loop)
        self._death: Death | None = None
        self._wire = Wire(network)
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._stop = asyncio.Event()
        self._down_seconds = _RESTART_SECONDS
        self._is_over = False
        self.made: Parts | None = None
        self.kills: Counter[str] = Counter()
        #: How many lives there were.
        self.begun = 0
        #: What ended a life that nobody killed.
        self.failures: list[str] = []
        loop.on_turn = self._turned
        loop.set_task_factory(_a_task)

    @property
    def is_up(self) -> bool:
        """Whether a daemon is at work now."""
        return self.made is not None and not self._wire.is_dead

    async def run(self) -> None:
        """Start a daemon, and another one whenever it has ended."""
        await asyncio.sleep(self._starts_at)
        while not self._is_over:
            self.begun += 1
            self._wire = Wire(self._network, self._on_wire)
            self._stop = asyncio.Event()
            self._down_seconds = _RESTART_SECONDS
            self._tasks = {}
            _TASKS.set(self._tasks)
            living = asyncio.get_running_loop().create_task(self._live(self._wire))
            _TASKS.set(None)
            await asyncio.wait({living})
            await _bury(self._tasks)
            self._network.apps.pop(OWN_PORT, None)
            self.made = None
            self._note_end(living)
            if not self._is_over:
                await asyncio.sleep(self._down_seconds)

    def end(self) -> None:
        """Kill it and start no other."""
        self._is_over = True
        self._die("end")

    def stop(self, down_seconds: float) -> None:
        """As SIGTERM does."""
        self._down_seconds = down_seconds
        self._stop.set()

    def kill(self, moment: str, count: int, down_seconds: float) -> None:
        """Let it die at that moment, as SIGKILL does; at once where it is `now`."""
        self._death = Death(moment, count, down_seconds)
        if moment == "now":
            self._passes("now")
            return
        death = self._death
        self._loop.call_later(_PATIENCE_SECONDS, self._hurry, death)

    def forget_death(self) -> None:
        """Nothing kills it any more."""
        self._death = None

    # --- dying -----------------------------------------------------------------------------------

    def _hurry(self, death: Death) -> None:
        if self._death is death:
            self._passes(death.moment, death.left)

    def _turned(self) -> None:
        if self._death is not None and self._death.moment == "turn":
            self._passes("turn")

    def _on_wire(self, request: httpx.Request, moment: str) -> None:
        if request.method in {"GET", "HEAD"}:
            moment = f"read_{moment}"
        self._passes(moment)

    def _passes(self, moment: str, count: int = 1) -> bool:
        death = self._death
        if death is None or death.moment != moment or not self.is_up:
            return False
        death.left -= count
        if death.left > 0:
            return False
        self._death = None
        self._down_seconds = death.down_seconds
        self._die(moment)
        return True

    def _die(self, moment: str) -> None:
        if self._wire.is_dead:
            return
        self._wire.is_dead = True
        if moment != "end":
            self.kills[moment] += 1
        # In their order; a task group would end its own in the order of their addresses.
        for task in list(self._tasks):
            task.cancel()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if self._wire.is_dead or task.cancelled() or task.exception() is None:
            return
        self.failures.append(repr(_first_of(task.exception())))

    # --- living ----------------------------------------------------------------------------------

    async def _live(self, wire: Wire) -> None:
        async with self._parts("daemon", wire) as made:
            daemon = Daemon(made)
            self.made = made
            self._network.apps[OWN_PORT] = daemon.application()
            async with asyncio.TaskGroup() as group:
                working = daemon.work(group)
                await self._stop.wait()
                daemon.stop()
                _, late = await asyncio.wait(working, timeout=_GRACE_SECONDS)
                for task in late:
                    task.cancel()

    def _parts(self, owner: str, wire: Wire) -> contextlib.AbstractAsyncContextManager[Parts]:
        def connect(kind: str) -> Callable[..., Any]:
            return functools.partial(registry.connect(kind), transport=wire)

        return parts(
            self.config,
            owner=owner,
            clock=self._clock,
            connect=connect,
            opened=functools.partial(self._open, wire),
        )

    def _open(self, wire: Wire, path: Path) -> SqliteStore:
        def fuse(moment: str) -> None:
            if wire.is_dead or (wire is self._wire and self._passes(moment)):
                raise Killed

        def pause() -> float:
            return 0.004 * self._chance.random()

        executor = LoopExecutor(self._loop, pause)
        return open_store(path, is_durable=False, fuse=fuse, executor=executor)


def _a_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T] | Generator[Any, None, T],
    context: Context | None = None,
) -> asyncio.Task[T]:
    """A task that is known to the life it was born in."""
    task = asyncio.Task(work, loop=loop, context=context)
    tasks = context.get(_TASKS) if context is not None else _TASKS.get()
    if tasks is not None:
        tasks[task] = None
        task.add_done_callback(lambda done: tasks.pop(done, None))
    return task


async def _bury(tasks: Mapping[asyncio.Task[Any], None]) -> None:
    """End what a life has left behind, as the end of its process would."""
    while tasks:
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.wait(left)


def a_config(terms: Terms, folder: Path) -> Config:
    """The file that joins the desks, read as the daemon reads it."""
    hook = ', webhook_secret: "${HEROKU_HOOK}"' if terms.has_webhooks else ""
    managed = ", webhooks: managed" if terms.has_webhooks else ""
    poll = f"poll: {{every: {terms.poll_seconds}s}}"
    budget = f"budget: {{share: {terms.share}%, per_minute: {min(terms.per_minute, 100_000)}}}"
    credential = 'api_token: {email: "syncd@acme.test", token: "${API_TOKEN}"}'
    if terms.is_oauth:
        credential = 'oauth: {client_id: syncd, client_secret: "${CLIENT_SECRET}"}'
    is_wide = terms.per_minute > 10_000
    exports = "exports_per_minute: 10000, " if is_wide else ""
    # History is to reach nobody who could be mailed.
    mailed = "requester_address: hashed, " if terms.starts_at else ""
    feed = "sweep" if terms.zendesk.get("has_no_rights") else "exports"
    lines = [
        "version: 1",
        f"store: sqlite:///{folder}/syncd.db",
        f'server: {{listen: "127.0.0.1:{OWN_PORT}", public_url: "http://127.0.0.1:{OWN_PORT}"}}',
        f"sweep: {{every: {terms.sweep_seconds}s}}",
        "connections:",
        f'  {PLATFORM}: {{kind: platform, url: "{ADDRESSES[PLATFORM]}", '
        f'token: "${{PLATFORM_TOKEN}}", {budget}, {poll}{managed or hook}}}',
    ]
    lines += [
        f'  {name}: {{kind: zendesk, url: "{ADDRESSES[name]}", {exports}{mailed}{credential}, '
        f"feed: {feed}, {budget}, {poll}{managed}}}"
        for name in terms.partners
    ]
    lines.append("links:")
    for name in terms.partners:
        lines += [
            f"  {VIEWS[name]}:",
            f"    platform: {PLATFORM}/{VIEWS[name]}",
            f"    partner: {{connection: {name}, group: Heroku}}",
            '    tags: {share: ["t-*"]}',
            f"    loop_limit: {terms.loop_limit}",
            *(f"    {line}" for line in terms.link),
        ]
    text = "\n".join(lines) + "\n"
    return load_text(text.encode(), _secrets(), registry, file="syncd.yaml", folder=folder).config


def _secrets() -> Mapping[str, str]:
    return dict(SECRETS)


def _first_of(failure: BaseException | None) -> BaseException | None:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
