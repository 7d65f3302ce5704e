"""Ask every desk at once what a credential may do there, each within its own time.

What is asked is the connector's: `check`, and `look` of its webhook. The way to the desk is seen
in the same requests. One desk that hangs, refuses or breaks stops no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from syncd.app import Parts
from syncd.checkup.address import is_here, knock
from syncd.core.errors import RateLimited, RemoteError, Unauthorised, Unintelligible
from syncd.core.hook import HookView
from syncd.doctor.budget import BudgetFacts
from syncd.doctor.desk import DeskFacts, Silence
from syncd.doctor.webhook import HookFacts, Knock
from syncd.line import ON_CONTACT, Contact
from syncd.log import place_of
from syncd.ports import CheckResult, Connector
from syncd.settings import is_loopback

#: Deliveries of the last quarter of an hour are judged.
_RECENT_SECONDS = 900.0
_KNOCK_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What came of asking one connection's desk."""

    desk: DeskFacts
    #: None for a connection that has no webhook.
    hook: HookFacts | None
    budgets: tuple[BudgetFacts, ...]


@dataclass(kw_only=True, slots=True)
class _Progress:
    """What was learned so far, should the time end."""

    results: Sequence[CheckResult] = ()
    view: HookView | None = None
    contacts: list[Contact] = field(default_factory=list)


async def ask_desks(
    made: Parts,
    names: Collection[str],
    *,
    within_seconds: float,
    is_daemon_there: bool,
    told: Callable[[str], None] = lambda _: None,
) -> list[Asked]:
    """Each desk's facts, in the file's order; `told` of each connection that is done.

    The public addresses are tried only where a daemon is there to answer.
    """

    async def one(connector: Connector) -> Asked:
        try:
            return await _ask(made, connector, within_seconds, is_daemon_there)
        finally:
            told(connector.name)

    asked = [connector for name, connector in made.connectors.items() if name in names]
    return list(await asyncio.gather(*map(one, asked)))


async def _ask(
    made: Parts, connector: Connector, within_seconds: float, is_daemon_there: bool
) -> Asked:
    progress = _Progress()
    ON_CONTACT.set(progress.contacts.append)
    endpoint = _endpoint(made, connector)
    silence, message, hint = None, "", ""
    try:
        async with asyncio.timeout(within_seconds):
            await _ask_all(made, connector, endpoint, progress)
    except TimeoutError:
        silence, message = Silence.LATE, f"not done within {within_seconds:g} s"
    except RemoteError as error:
        silence, message, hint = _silence(error), str(error), error.hint
    except Exception as bug:  # noqa: BLE001 - a connector may be anybody's; its words may hold ticket text
        silence, message = Silence.BUG, f"{type(bug).__name__} at {place_of(bug)}"
    desk = DeskFacts(
        connection=connector.name,
        results=progress.results,
        silence=silence,
        message=message,
        hint=hint,
        contacts=tuple(progress.contacts),
    )
    hook = None
    if endpoint is not None:
        knocked = await _knock(endpoint) if is_daemon_there else None
        hook = _hook(connector, endpoint, progress, knocked)
    return Asked(desk=desk, hook=hook, budgets=_budgets(made, connector))


async def _ask_all(
    made: Parts, connector: Connector, endpoint: str | None, progress: _Progress
) -> None:
    policies = [link.policy for link in made.links if connector in link.connectors.values()]
    progress.results = await connector.check(policies)
    if endpoint is not None and connector.hook is not None:
        progress.view = await connector.hook.look(endpoint, within_seconds=_RECENT_SECONDS)


def _endpoint(made: Parts, connector: Connector) -> str | None:
    is_used = made.config.connections[connector.name].has_webhooks
    return made.config.webhook_endpoint(connector.name) if is_used else None


async def _knock(endpoint: str) -> Knock:
    return await asyncio.to_thread(knock, endpoint, seconds=_KNOCK_SECONDS)


def _hook(
    connector: Connector, endpoint: str, progress: _Progress, knocked: Knock | None
) -> HookFacts:
    contacts = progress.contacts
    return HookFacts(
        connection=connector.name,
        endpoint=endpoint,
        is_endpoint_here=is_here(endpoint),
        is_desk_here=all(is_loopback(one.host) for one in contacts),
        view=progress.view,
        knock=knocked,
    )


def _budgets(made: Parts, connector: Connector) -> tuple[BudgetFacts, ...]:
    return tuple(
        BudgetFacts(
            connection=connector.name,
            bucket=one.bucket,
            limit=one.limit,
            ours=one.ours,
            left=one.left,
            paused_seconds=one.paused_seconds,
        )
        for one in made.budgets[connector.name].snapshot()
    )


def _silence(error: RemoteError) -> Silence:
    kinds = {
        RateLimited: Silence.LIMITED,
        Unauthorised: Silence.UNAUTHORISED,
        Unintelligible: Silence.RIDDLE,
    }
    return next(
        (one for kind, one in kinds.items() if isinstance(error, kind)), Silence.UNREACHABLE
    )
