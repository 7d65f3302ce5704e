"""From the file's routes to those that the rules know, and their addresses apart from them."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import SecretStr

from config.loaded import Config
from syncd.core.alarm import AlarmKind, Patience
from syncd.core.alarm_news import Ends, Route
from syncd.core.model import ConnectionName, LinkName


def routes_of(config: Config) -> Sequence[Route]:
    """In the file's order; without their addresses."""
    return [
        Route(
            name=name,
            kinds=frozenset(map(AlarmKind, route.kinds or ())),
            links=frozenset(map(LinkName, route.links or ())),
            connections=frozenset(map(ConnectionName, route.connections or ())),
            remind=route.remind,
            most=route.most,
            within=route.within,
        )
        for name, route in (config.alarms.routes or {}).items()
    ]


def addresses_of(config: Config) -> Mapping[str, SecretStr]:
    """By the route's name. Not to be shown, logged or put into an error."""
    return {name: route.to for name, route in (config.alarms.routes or {}).items()}


def ends_of(config: Config) -> Ends:
    """Platform and partner of each link."""
    return {
        name: (
            ConnectionName(link.platform.connection),
            ConnectionName(link.partner.connection),
        )
        for name, link in config.links.items()
    }


def patience_of(config: Config) -> Patience:
    """How long each kind may last; a credential's end is told ahead of it."""
    after = config.alarms.after
    ahead: timedelta = after.credential_ends
    return Patience(
        of_kind={
            AlarmKind.CONNECTION_DOWN: after.connection_down,
            AlarmKind.QUOTA_SPENT: after.quota_spent,
            AlarmKind.WEBHOOK_BROKEN: after.webhook_broken,
            AlarmKind.PAIRS_PARKED: after.pairs_parked,
            AlarmKind.HAND_OFF_LATE: after.hand_off_late,
            AlarmKind.TICKETS_STALE: after.tickets_stale,
            AlarmKind.CREDENTIAL_ENDS: -ahead,
        },
        of_hand_off={name: link.hand_off.confirm_within for name, link in config.links.items()},
    )


def name_of(config: Config) -> str:
    """What messages call this installation."""
    return config.alarms.name or socket.gethostname()
