"""The composition root: the only place that knows configuration, connectors, store, engine and web.

`parts` wires them up for any command; what goes on in the daemon is `daemon`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.loaded import Config
from config.policy import link_policy
from connectors import registry
from syncd.core.errors import StoreError, StoreOlder, SyncdError, Unauthentic
from syncd.core.model import ConnectionName, Side, TicketId
from syncd.engine.budget import BudgetLedger
from syncd.engine.clock import SystemClock
from syncd.engine.health import Health
from syncd.engine.hooks import HookWatch
from syncd.engine.intake import Intake
from syncd.engine.lag import Lag
from syncd.engine.links import Link, Links
from syncd.engine.missed import Missed
from syncd.engine.reconcile import Reconciler
from syncd.log import logger, place_of
from syncd.ports import Clock, Connector, Heard, Store
from syncd.settings import BudgetShare
from syncd.store import OwnerLock, open_store
from syncd.web.metrics import Metrics
from syncd.web.server import NotYet
from syncd.workqueue.memory import MemoryWorkQueue

OnRequest = Callable[..., None]
#: From a connection's kind to the function that makes its connector.
Connect = Callable[[str], Callable[..., Connector]]


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
    metrics: Metrics
    missed: Missed
    connectors: Mapping[ConnectionName, Connector] = field(default_factory=dict)
    #: Of the connections that have webhooks and somebody to look after them.
    watches: Mapping[ConnectionName, HookWatch] = field(default_factory=dict)
    budgets: Mapping[ConnectionName, BudgetLedger] = field(default_factory=dict)
    #: Set where a connection's feed should be looked at soon.
    news: Mapping[ConnectionName, asyncio.Event] = field(default_factory=dict)

    async def receive(
        self, connection: ConnectionName, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Take one webhook in; durable when it returns.

        Raises `Unauthentic`, `Unintelligible`, `StoreError` or `NotYet`; anything else is a bug,
        and logged.
        """
        watch = self.watches.get(connection)
        if watch is not None and not watch.is_ready:
            self.metrics.webhook(connection, "postponed")
            raise NotYet
        try:
            heard = self._read(connection, headers, body)
            if watch is not None:
                watch.accepted()
            marked = await self.intake.take(connection, heard.sightings, is_announced=True)
        except SyncdError as error:
            if watch is not None and isinstance(error, Unauthentic):
                watch.refused()
            self.metrics.webhook(connection, _webhook_result(error))
            raise
        except Exception as bug:
            reason = type(bug).__name__
            self.metrics.webhook(connection, "failed")
            logger().error(
                "webhook.failed", connection=connection, reason=reason, place=place_of(bug)
            )
            raise
        self.metrics.webhook(connection, "accepted")
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


def _webhook_result(error: SyncdError) -> str:
    """What became of a webhook that was not taken: the desk sends it again, or it is no good."""
    return "postponed" if isinstance(error, StoreError) else "refused"


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
    metrics = Metrics(config.connections, config.links)
    store = await asyncio.to_thread(opened or open_store, store_path(config))
    store.tell_commits(metrics.committed)
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
                on_request=on_request or metrics.requested,
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
        lag = Lag(clock, metrics.delivered)
        news = {name: asyncio.Event() for name in connectors}
        yield Parts(
            config=config,
            clock=clock,
            store=store,
            links=links,
            health=health,
            queue=queue,
            metrics=metrics,
            missed=missed,
            intake=Intake(
                store=store,
                queue=queue,
                links=links,
                clock=clock,
                missed=missed,
                lag=lag,
                news=news,
            ),
            news=news,
            reconciler=Reconciler(
                owner=owner or "nobody",
                store=store,
                links=links,
                clock=clock,
                health=health,
                lag=lag,
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
