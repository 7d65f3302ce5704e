"""Puts the alarms together from the configuration and the daemon's parts."""

from __future__ import annotations

from collections.abc import Mapping

from config.loaded import Config
from syncd.alarms.look import Look
from syncd.alarms.post import Post
from syncd.alarms.routes import addresses_of, ends_of, name_of, patience_of, routes_of
from syncd.alarms.watch import AlarmWatch
from syncd.core.model import ConnectionName
from syncd.engine.budget import BudgetLedger
from syncd.engine.health import Health
from syncd.engine.hooks import HookWatch
from syncd.ports import Clock, Store


def an_alarm_watch(
    config: Config,
    *,
    store: Store,
    clock: Clock,
    health: Health,
    watches: Mapping[ConnectionName, HookWatch],
    budgets: Mapping[ConnectionName, BudgetLedger],
) -> AlarmWatch:
    """The daemon's; it does nothing where the file has no routes."""
    ends = ends_of(config)
    used = {name for both in ends.values() for name in both}
    return AlarmWatch(
        store=store,
        clock=clock,
        look=Look(
            store=store,
            clock=clock,
            health=health,
            connections=[name for name in config.connections if name in used],
            watches=watches,
            budgets=budgets,
        ),
        post=Post(addresses_of(config)),
        routes=routes_of(config),
        patience=patience_of(config),
        ends=ends,
        name=name_of(config),
    )
