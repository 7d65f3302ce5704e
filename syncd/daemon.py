"""The daemon: what goes on for as long as the process lives, and how it begins, reloads and ends.

`app` wires the parts; here they run. A reload reads the configuration again and, if it is sound,
ends one set of parts as a stop would and begins the next, on the same socket: callers wait for a
moment and none is refused. What waited in the store waits there still.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from config.loaded import Config
from syncd import __version__
from syncd.alarms.make import an_alarm_watch
from syncd.app import Parts, parts
from syncd.core.errors import ConfigError, Problem, SyncdError
from syncd.core.model import ConnectionName
from syncd.engine.controller import Controller
from syncd.engine.poll import Poller
from syncd.engine.rights import look_at_rights, watch_ends
from syncd.engine.sweep import Sweep
from syncd.engine.telling import tell_stray
from syncd.log import configure, logger, place_of
from syncd.overview import Overview
from syncd.ports import Connector
from syncd.signals import Signals
from syncd.supervisor import Supervisor
from syncd.watchdog import feed
from syncd.web.guard import serving
from syncd.web.server import web_app

#: A desk that does not answer keeps the others waiting for no longer than this at the start: for
#: callers to be let in, and for pairs to be run.
_BEGIN_SECONDS = 5.0
_LOOK_SECONDS = 10.0
#: How long runs in progress are waited for at the end; a desk may ask for an hour. What is cut off
#: is looked for at the next start. Less than a supervisor's patience.
_GRACE_SECONDS = 25.0


async def serve(
    config: Config,
    *,
    on_ready: Callable[[str], None] | None = None,
    read_again: Callable[[], Config] | None = None,
    supervisor: Supervisor | None = None,
) -> None:
    """Run the daemon until SIGTERM or SIGINT; runs in progress are finished first.

    `on_ready` is told the web server's address. At SIGHUP the configuration is `read_again`: what
    that raises as a `SyncdError` is logged, and all stays as it is. A SIGHUP that comes while one
    is followed is followed next, once. Raises `StoreError`, and
    whatever killed a part: a daemon that is half alive is worse than one that a supervisor starts
    again.
    """
    ears: _Ears | None = None
    following: Config | None = config
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(tell_stray)
    with Signals() as signals:
        try:
            while following is not None and not signals.end.is_set():
                async with parts(following, owner="daemon") as made:
                    ears = ears or _Ears(following)
                    signals.hear_end()
                    daemon = Daemon(made, supervisor=supervisor, read_again=read_again)
                    following = await daemon.run(signals, ears, on_ready)
        finally:
            loop.set_exception_handler(None)
            if ears is not None:
                ears.close()


class _Ears:
    """The bound socket on which one daemon after the other listens."""

    def __init__(self, config: Config) -> None:
        """Raises `OSError` when the address is taken."""
        family = socket.AF_INET6 if ":" in config.server.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        # Accepted connections inherit it; asyncio leaves it off for a socket that it is given.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((config.server.host, config.server.port))
        except OSError:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def lend(self) -> socket.socket:
        """The same ears for a server that closes its own: who calls in between waits."""
        return self._socket.dup()

    def close(self) -> None:
        self._socket.close()


class Daemon:
    """The long-running tasks around one set of parts.

    `run` is the process; who serves and ends otherwise takes `work`, `stop` and `application`.
    """

    def __init__(
        self,
        made: Parts,
        *,
        supervisor: Supervisor | None = None,
        read_again: Callable[[], Config] | None = None,
    ) -> None:
        self._made = made
        self._supervisor = supervisor or Supervisor(None)
        self._read_again = read_again
        self._following: Config | None = None
        self._controller = Controller(
            store=made.store,
            queue=made.queue,
            reconciler=made.reconciler,
            clock=made.clock,
            health=made.health,
            links=len(made.links),
        )
        self._pollers = [
            _a_poller(made, name, connector) for name, connector in made.links.connectors().items()
        ]
        self._sweep = Sweep(
            links=made.links,
            every_seconds=made.config.sweep.every.total_seconds(),
            store=made.store,
            intake=made.intake,
            clock=made.clock,
            health=made.health,
        )
        self._alarms = an_alarm_watch(
            made.config,
            store=made.store,
            clock=made.clock,
            health=made.health,
            watches=made.watches,
            budgets=made.budgets,
        )
        self._overview = Overview(made)
        self._stopping = asyncio.Event()
        self._announced = asyncio.Event()

    async def run(
        self, signals: Signals, ears: _Ears, on_ready: Callable[[str], None] | None = None
    ) -> Config | None:
        """Until a signal; the configuration to go on with, or None at the end."""
        log = logger()
        log.info("daemon.started", version=__version__, links=len(self._made.links))
        server = _QuietServer(serving(self.application()))
        listener = ears.lend()
        try:
            async with asyncio.TaskGroup() as group:
                working = self.work(group)
                answering = group.create_task(server.serve(sockets=[listener]))
                group.create_task(self._announce(server, answering, ears.address, on_ready))
                watching = [
                    group.create_task(self._feed_watchdog()),
                    group.create_task(self._end_when_asked(signals)),
                    group.create_task(self._reload_when_asked(signals)),
                    group.create_task(self._watch_ends()),
                ]
                await self._stopping.wait()
                log.info("daemon.stopping")
                if self._following is None:
                    self._supervisor.stopping()
                self._overview.is_stopping = True
                server.should_exit = True
                self.stop()
                _, late = await asyncio.wait(working, timeout=_GRACE_SECONDS)
                for task in (*late, *watching):
                    task.cancel()
                await self._alarms.end()
        except BaseExceptionGroup as failures:
            first = _first_of(failures)
            log.critical("daemon.failed", reason=type(first).__name__, place=place_of(first))
            raise first from failures
        finally:
            server.close()
            listener.close()
        log.info("daemon.stopped")
        return self._following

    async def _feed_watchdog(self) -> None:
        await feed(
            self._supervisor,
            standstill=self._made.reconciler.pulse.standstill,
            turn=self._made.store.take_turn,
            clock=self._made.clock,
        )

    async def _watch_ends(self) -> None:
        """Only for those who are told of it: it may cost a request a day."""
        if self._alarms.routes:
            await watch_ends(
                self._made.connectors.values(),
                self._made.health,
                clock=self._made.clock,
                ahead=self._made.config.alarms.after.credential_ends,
                stopping=self._stopping,
            )

    async def _end_when_asked(self, signals: Signals) -> None:
        await signals.end.wait()
        self._stopping.set()

    async def _reload_when_asked(self, signals: Signals) -> None:
        """A sound configuration ends this daemon, and the next one takes its place.

        Not before it was ready: who asks often would have a daemon that only ever begins.
        """
        await self._announced.wait()
        while self._read_again is not None:
            await signals.reload.wait()
            signals.reload.clear()
            try:
                found = await asyncio.to_thread(self._read_again)
                _refuse_what_needs_a_start(self._made.config, found)
            except SyncdError as error:
                logger().error("config.refused", reason=str(error), hint=error.hint)
                self._supervisor.status("a new configuration was refused, the former one stays")
                continue
            if found.log != self._made.config.log:
                configure(form=found.log.format, level=found.log.level)
            logger().info("config.reloaded", links=len(found.links))
            self._supervisor.reloading(self._made.clock.monotonic())
            self._following = found
            self._stopping.set()
            return

    def work(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin all that goes on until `stop`."""
        made = self._made
        return [
            group.create_task(self._run_pairs()),
            *(group.create_task(poller.run()) for poller in self._pollers),
            group.create_task(self._sweep.run()),
            group.create_task(look_at_rights(made.connectors.values(), made.health)),
            group.create_task(self._alarms.run()),
            *(group.create_task(watch.run()) for watch in made.watches.values()),
        ]

    async def _run_pairs(self) -> None:
        """What both desks show is compared only when both were looked at.

        What was stored when the last process ended may be hours old on one side, and a change
        there that nobody knew of would pass for one that came after all the others.
        """
        looked = asyncio.create_task(self._look_once())
        stopping = asyncio.create_task(self._stop_asked())
        try:
            await asyncio.wait(
                {looked, stopping}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            looked.cancel()
            stopping.cancel()
        await self._controller.run()

    def stop(self) -> None:
        """Begin nothing more; what was begun is finished first."""
        self._stopping.set()
        for poller in self._pollers:
            poller.stop()
        self._sweep.stop()
        for watch in self._made.watches.values():
            watch.stop()
        self._alarms.stop()
        self._controller.stop()

    def application(self) -> Starlette:
        """Webhooks and health, as an ASGI application."""
        made = self._made
        paths = {
            made.config.webhook_path(name): name
            for name in made.connectors
            if made.config.connections[name].has_webhooks
        }
        return web_app(
            paths=paths,
            receive=made.receive,
            telling=self._overview,
        )

    async def _announce(
        self,
        server: uvicorn.Server,
        serving: asyncio.Task[None],
        address: str,
        on_ready: Callable[[str], None] | None,
    ) -> None:
        while not server.started:
            if serving.done():
                return
            await self._made.clock.sleep(0.01)
        # What happens before a feed's first look is not seen: nobody is told to begin before it.
        begun = asyncio.create_task(self._begin())
        stopping = asyncio.create_task(self._stop_asked())
        await asyncio.wait(
            {begun, stopping}, timeout=_BEGIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        begun.cancel()
        stopping.cancel()
        self._overview.has_begun = True
        logger().info("daemon.ready", address=address)
        self._supervisor.ready(f"{len(self._made.links)} links, listening on {address}")
        if on_ready is not None:
            on_ready(address)
        self._announced.set()

    async def _begin(self) -> None:
        for poller in self._pollers:
            await poller.begun.wait()

    async def _look_once(self) -> None:
        for poller in self._pollers:
            await poller.looked.wait()

    async def _stop_asked(self) -> None:
        await self._stopping.wait()


def _refuse_what_needs_a_start(config: Config, found: Config) -> None:
    """Raise `ConfigError` where a change is of what one process has once."""
    kept = (
        ("store", config.store, found.store),
        ("server.listen", config.server.listen, found.server.listen),
    )
    problems = tuple(
        Problem(message="it changed, which a reload cannot do", path=key, hint="Restart syncd.")
        for key, before, after in kept
        if before != after
    )
    if problems:
        raise ConfigError(problems)


def _a_poller(made: Parts, name: ConnectionName, connector: Connector) -> Poller:
    poll, watch = made.config.connections[name].poll, made.watches.get(name)
    return Poller(
        connector,
        every_seconds=poll.every.total_seconds(),
        relaxed_seconds=0.0 if poll.relaxed is None else poll.relaxed.total_seconds(),
        is_relaxed=lambda: watch is not None and watch.is_trusted,
        news=made.news.get(name),
        store=made.store,
        intake=made.intake,
        clock=made.clock,
        health=made.health,
    )


def _first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """What died first, from under the groups of the parts around it."""
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


class _QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers: the daemon's decide when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """Listen and talk no more; for a server that was cut off before it saw to that itself.

        What came now would be begun while the loop ends, and left there unfinished.
        """
        for listening in getattr(self, "servers", ()):
            listening.close()
        for connection in self.server_state.connections:
            connection.transport.abort()
