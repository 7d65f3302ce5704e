"""The composition root: the only place that knows configuration, connectors, store, engine and web.

`parts` wires them up for any command; `serve` is the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from config.loaded import Config
from config.policy import link_policy
from connectors import registry
from syncd import __version__
from syncd.core.errors import StoreOlder, SyncdError, Unauthentic
from syncd.core.model import ConnectionName, Side, TicketId
from syncd.engine.budget import BudgetLedger
from syncd.engine.clock import SystemClock
from syncd.engine.controller import Controller
from syncd.engine.health import Health
from syncd.engine.hooks import HookReport, HookWatch
from syncd.engine.intake import Intake
from syncd.engine.links import Link, Links
from syncd.engine.missed import Missed
from syncd.engine.poll import Poller
from syncd.engine.reconcile import Reconciler
from syncd.engine.rights import look_at_rights
from syncd.engine.sweep import Sweep
from syncd.log import logger, place_of
from syncd.ports import Clock, Connector, Heard, Store
from syncd.settings import BudgetShare
from syncd.store import OwnerLock, open_store
from syncd.web.guard import serving
from syncd.web.server import NotYet, web_app
from syncd.workqueue.memory import MemoryWorkQueue

OnRequest = Callable[..., None]
#: From a connection's kind to the function that makes its connector.
Connect = Callable[[str], Callable[..., Connector]]
#: A desk that does not answer keeps the others waiting for no longer than this at the start.
_BEGIN_SECONDS = 5.0
#: How long runs in progress are waited for at the end; a desk may ask for an hour. What is cut off
#: is looked for at the next start. Less than a supervisor's patience.
_GRACE_SECONDS = 25.0


def store_path(config: Config) -> Path:
    """The file that a store address names."""
    return Path(config.store.removeprefix("sqlite:///"))


@dataclass(kw_only=True)
class Parts:
    """Everything that a process of syncd is made of, wired up."""

    config: Config
    clock: Clock
    store: Store
    links: Links
    health: Health
    queue: MemoryWorkQueue
    intake: Intake
    reconciler: Reconciler
    connectors: Mapping[ConnectionName, Connector] = field(default_factory=dict)
    #: Of the connections that have webhooks and somebody to look after them.
    watches: Mapping[ConnectionName, HookWatch] = field(default_factory=dict)
    budgets: Mapping[ConnectionName, BudgetLedger] = field(default_factory=dict)

    async def receive(
        self, connection: ConnectionName, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Take one webhook in; durable when it returns.

        Raises `Unauthentic`, `Unintelligible`, `StoreError` or `NotYet`; anything else is a bug,
        and logged.
        """
        watch = self.watches.get(connection)
        if watch is not None and not watch.is_ready:
            raise NotYet
        try:
            heard = self._read(connection, headers, body)
            if watch is not None:
                watch.accepted()
            marked = await self.intake.take(connection, heard.sightings, is_announced=True)
        except SyncdError as error:
            if watch is not None and isinstance(error, Unauthentic):
                watch.refused()
            raise
        except Exception as bug:
            reason = type(bug).__name__
            logger().error(
                "webhook.failed", connection=connection, reason=reason, place=place_of(bug)
            )
            raise
        self.health.counts["webhook.accepted"] += 1
        if heard.is_unknown:
            self.health.counts["webhook.unknown"] += 1
        logger().debug("webhook.accepted", connection=connection, pairs=len(marked))

    def _read(self, connection: ConnectionName, headers: Mapping[str, str], body: bytes) -> Heard:
        connector = self.connectors[connection]
        try:
            return connector.read_webhook(headers, body, now=self.clock.now())
        except SyncdError as error:
            self.health.webhook_rejected(connection, type(error).__name__)
            raise


def _budgets(config: Config, clock: Clock) -> dict[ConnectionName, BudgetLedger]:
    """One for each account; where several connections lead to one, the smallest share counts."""
    shares: dict[str, BudgetShare] = {}
    keys = {name: settings.account or f" {name}" for name, settings in config.connections.items()}
    for name, settings in config.connections.items():
        known = shares.setdefault(keys[name], settings.budget)
        shares[keys[name]] = min(known, settings.budget, key=lambda budget: budget.share)
    ledgers = {key: BudgetLedger(share, clock=clock) for key, share in shares.items()}
    return {name: ledgers[key] for name, key in keys.items()}


@contextlib.asynccontextmanager
async def parts(
    config: Config,
    *,
    owner: str | None,
    clock: Clock | None = None,
    on_request: OnRequest | None = None,
    beside: Path | None = None,
    is_recovering: bool = False,
    connect: Connect = registry.connect,
    opened: Callable[[Path], Store] | None = None,
) -> AsyncIterator[Parts]:
    """Open the store and the connections of a configuration; close them at the end.

    What connectors themselves must keep is next to the file `beside`, the store's by default.

    One process at a time may be the `owner` of that name of a store, such as `daemon`; the leases
    that a killed one left are let go. None is for those who run no pairs.
    Raises `StoreError`, and for an older store, unless `is_recovering`, `StoreOlder`. No desk is
    asked anything here. `connect` and `opened` are for who brings his own network or disk.
    """
    clock = clock or SystemClock()
    store = await asyncio.to_thread(opened or open_store, store_path(config))
    connectors: dict[ConnectionName, Connector] = {}

    async def address_of(origin: ConnectionName, ticket_id: TicketId) -> str | None:
        asked = connectors.get(origin)
        return None if asked is None else await asked.requester_address(ticket_id)

    held = contextlib.ExitStack()
    try:
        if owner is not None:
            held.enter_context(OwnerLock(store_path(config), owner))
            if not is_recovering and (await store.age()).is_older:
                raise StoreOlder(f"{store_path(config)}: is older than what was written last")
            await store.release_leases(owner)
        budgets = _budgets(config, clock)
        for name, settings in config.connections.items():
            connectors[name] = connect(settings.kind)(
                name,
                settings,
                budget=budgets[name],
                clock=clock,
                on_request=on_request,
                wanted=functools.partial(store.known_tickets, name),
                open_tickets=functools.partial(store.open_tickets, name),
                beside=beside or store_path(config),
                address_of=address_of,
            )
        links = Links(
            Link(
                policy=(policy := link_policy(config, name)),
                connectors={side: connectors[policy.connections[side]] for side in Side},
            )
            for name in config.links
        )
        health = Health(clock.now)
        queue = MemoryWorkQueue(clock)
        missed = Missed(clock)
        yield Parts(
            config=config,
            clock=clock,
            store=store,
            links=links,
            health=health,
            queue=queue,
            intake=Intake(store=store, queue=queue, links=links, clock=clock, missed=missed),
            reconciler=Reconciler(
                owner=owner or "nobody", store=store, links=links, clock=clock, health=health
            ),
            connectors=connectors,
            watches=_watches(config, links, store=store, missed=missed, clock=clock, health=health),
            budgets=budgets,
        )
    finally:
        for connector in connectors.values():
            await connector.close()
        await store.close()
        held.close()


def _watches(
    config: Config, links: Links, *, store: Store, missed: Missed, clock: Clock, health: Health
) -> dict[ConnectionName, HookWatch]:
    watches: dict[ConnectionName, HookWatch] = {}
    for name, connector in links.connectors().items():
        settings, hook = config.connections[name], connector.hook
        endpoint = config.webhook_endpoint(name)
        if hook is None or endpoint is None or not settings.has_webhooks:
            continue
        watches[name] = HookWatch(
            name,
            hook,
            endpoint=endpoint,
            is_managed=settings.is_managed,
            store=store,
            missed=missed,
            clock=clock,
            health=health,
        )
    return watches


async def serve(config: Config, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Run the daemon until SIGTERM or SIGINT; runs in progress are finished first.

    `on_ready` is told the web server's address. Raises `StoreError`, and whatever killed a part: a
    daemon that is half alive is worse than one that a supervisor starts again.
    """
    async with parts(config, owner="daemon") as made:
        await Daemon(made).run(on_ready)


class Daemon:
    """The long-running tasks around one set of parts.

    `run` is the process; who serves and ends otherwise takes `work`, `stop` and `application`.
    """

    def __init__(self, made: Parts) -> None:
        self._made = made
        self._controller = Controller(
            store=made.store,
            queue=made.queue,
            reconciler=made.reconciler,
            clock=made.clock,
            health=made.health,
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
        self._is_ready = False
        self._stopping = asyncio.Event()

    async def run(self, on_ready: Callable[[str], None] | None) -> None:
        log = logger()
        log.info("daemon.started", version=__version__, links=len(self._made.links))
        server, listener, address = self._web()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            async with asyncio.TaskGroup() as group:
                working = self.work(group)
                serving = group.create_task(server.serve(sockets=[listener]))
                group.create_task(self._announce(server, serving, address, on_ready))
                await self._stopping.wait()
                log.info("daemon.stopping")
                self._is_ready = False
                server.should_exit = True
                self.stop()
                _, late = await asyncio.wait(working, timeout=_GRACE_SECONDS)
                for task in late:
                    task.cancel()
        except BaseExceptionGroup as failures:
            first = _first_of(failures)
            log.critical("daemon.failed", reason=type(first).__name__, place=place_of(first))
            raise first from failures
        finally:
            server.close()
            listener.close()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        log.info("daemon.stopped")

    def work(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin all that goes on until `stop`."""
        made = self._made
        return [
            group.create_task(self._controller.run()),
            *(group.create_task(poller.run()) for poller in self._pollers),
            group.create_task(self._sweep.run()),
            group.create_task(look_at_rights(made.connectors.values())),
            *(group.create_task(watch.run()) for watch in made.watches.values()),
        ]

    def stop(self) -> None:
        """Begin nothing more; what was begun is finished first."""
        for poller in self._pollers:
            poller.stop()
        self._sweep.stop()
        for watch in self._made.watches.values():
            watch.stop()
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
            health=self._health,
            is_ready=lambda: self._is_ready,
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
        self._is_ready = True
        logger().info("daemon.ready", address=address)
        if on_ready is not None:
            on_ready(address)

    async def _begin(self) -> None:
        for poller in self._pollers:
            await poller.begun.wait()

    async def _stop_asked(self) -> None:
        await self._stopping.wait()

    def _web(self) -> tuple[_QuietServer, socket.socket, str]:
        """The server on its bound socket; raises `OSError` when the address is taken."""
        config = self._made.config
        family = socket.AF_INET6 if ":" in config.server.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        # Accepted connections inherit it; asyncio leaves it off for a socket that it is given.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((config.server.host, config.server.port))
        except OSError:
            listener.close()
            raise
        host, port = listener.getsockname()[:2]
        server = _QuietServer(serving(self.application()))
        return server, listener, f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def _health(self) -> Mapping[str, object]:
        health = self._made.health
        return {
            "version": __version__,
            "ready": self._is_ready,
            "connections": health.report(),
            "webhooks": {
                name: _hook_report(watch.report())
                for name, watch in sorted(self._made.watches.items())
            },
            "budgets": {name: ledger.report() for name, ledger in self._made.budgets.items()},
            "stopped": dict(sorted(health.stopped.items())),
            "counts": dict(sorted(health.counts.items())),
            "queue": len(self._made.queue),
        }


def _a_poller(made: Parts, name: ConnectionName, connector: Connector) -> Poller:
    poll, watch = made.config.connections[name].poll, made.watches.get(name)
    return Poller(
        connector,
        every_seconds=poll.every.total_seconds(),
        relaxed_seconds=0.0 if poll.relaxed is None else poll.relaxed.total_seconds(),
        is_relaxed=lambda: watch is not None and watch.is_trusted,
        store=made.store,
        intake=made.intake,
        clock=made.clock,
        health=made.health,
    )


def _hook_report(report: HookReport) -> Mapping[str, object]:
    return {
        "state": report.state.value,
        "faults": [fault.value for fault in report.faults],
        "since": report.since.isoformat() if report.since else "",
        "missed": report.missed,
    }


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
        """Listen no more; for a server that was cut off before it could see to that itself."""
        for listening in getattr(self, "servers", ()):
            listening.close()
