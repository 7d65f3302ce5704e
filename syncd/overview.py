"""What the daemon tells of itself: `/healthz`, `/readyz` and `/metrics`.

The judgement is `core.verdict`'s, on figures that are gathered here. However many ask, the store is
asked for them at most once in some seconds.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence

from syncd import __version__
from syncd.app import Parts
from syncd.core.errors import StoreError
from syncd.core.figures import ConnectionFigures, DaemonFigures, LinkFigures
from syncd.core.model import ConnectionName
from syncd.core.verdict import Verdict, judge
from syncd.engine.hooks import HookReport
from syncd.web.metrics import Page

#: For so long the store's figures are told again. Less than anybody scrapes.
FRESH_SECONDS = 5.0


class Overview:
    """Gathers and tells the figures of one set of parts."""

    def __init__(self, made: Parts) -> None:
        self._made = made
        #: It listens, and every feed was looked at or failed to answer.
        self.has_begun = False
        #: It was told to end.
        self.is_stopping = False
        #: None where the store did not answer.
        self._links: Sequence[LinkFigures] | None = ()
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    def is_ready(self) -> bool:
        """Whether the process itself works, from memory alone."""
        return judge(now=self._made.clock.now(), daemon=self._daemon()).is_ready

    async def health(self) -> Mapping[str, object]:
        """What `/healthz` says, as JSON."""
        made = self._made
        verdict = self._judge(await self._read_links())
        return {
            "version": __version__,
            "ready": verdict.is_ready,
            "daemon": dataclasses.asdict(self._daemon()),
            "level": verdict.level.name.lower(),
            "troubles": [
                {
                    "level": trouble.level.name.lower(),
                    "about": trouble.about.value,
                    "name": trouble.name,
                    "kind": trouble.kind,
                    "text": trouble.text,
                }
                for trouble in verdict.troubles
            ],
            "connections": {**made.health.report(), **self._polls()},
            "webhooks": {
                name: _hook_report(watch.report()) for name, watch in sorted(made.watches.items())
            },
            "budgets": {name: ledger.report() for name, ledger in made.budgets.items()},
            "stopped": dict(sorted(made.health.stopped.items())),
            "counts": dict(sorted(made.health.counts.items())),
            "queue": len(made.queue),
            **made.metrics.tally(),
        }

    async def metrics(self) -> bytes:
        """The page of `/metrics`."""
        made = self._made
        links = await self._read_links()
        return made.metrics.render(
            Page(
                now=made.clock.now(),
                version=__version__,
                verdict=self._judge(links),
                links=links,
                connections=self._connections(),
                budgets={name: ledger.snapshot() for name, ledger in made.budgets.items()},
                queue=len(made.queue),
                counts=made.health.counts,
            )
        )

    async def _read_links(self) -> Sequence[LinkFigures] | None:
        """Of the links in the configuration; None where the store does not answer."""
        async with self._asking:
            now = self._made.clock.monotonic()
            if now - self._asked_at >= FRESH_SECONDS:
                self._links = await self._ask()
                self._asked_at = now
        return self._links

    async def _ask(self) -> Sequence[LinkFigures] | None:
        try:
            found = {figures.link: figures for figures in await self._made.store.figures()}
        except StoreError:
            # The parts that cannot do without it tell of it, and end the daemon.
            return None
        names = sorted(self._made.config.links)
        return [found.get(name) or LinkFigures(link=name) for name in names]

    def _judge(self, links: Sequence[LinkFigures] | None) -> Verdict:
        return judge(
            now=self._made.clock.now(),
            daemon=self._daemon(),
            connections=self._connections(),
            links=links or (),
        )

    def _daemon(self) -> DaemonFigures:
        return DaemonFigures(
            has_begun=self.has_begun,
            is_stopping=self.is_stopping,
            standstill=self._made.reconciler.pulse.standstill() or "",
            is_store_well=self._links is not None,
        )

    def _connections(self) -> list[ConnectionFigures]:
        return [self._connection(name) for name in sorted(self._made.connectors)]

    def _connection(self, name: ConnectionName) -> ConnectionFigures:
        made = self._made
        poll, watch = made.config.connections[name].poll, made.watches.get(name)
        hook = None if watch is None else watch.report()
        return ConnectionFigures(
            connection=name,
            state=made.health.state(name),
            since=made.health.since(name),
            polled_at=made.health.polled_at.get(name),
            poll_seconds=max(poll.every, poll.relaxed or poll.every).total_seconds(),
            webhook_state="" if hook is None else hook.state.value,
            webhook_faults=() if hook is None else tuple(fault.value for fault in hook.faults),
            missed=0 if hook is None else hook.missed,
        )

    def _polls(self) -> Mapping[str, object]:
        """The connections with what `Health` does not know of them."""
        told = self._made.health.report()
        return {
            name: {
                **told[name],
                "polled_at": figures.polled_at.isoformat() if figures.polled_at else "",
                "poll_seconds": figures.poll_seconds,
            }
            for figures in self._connections()
            if (name := figures.connection) in told
        }


def _hook_report(report: HookReport) -> Mapping[str, object]:
    return {
        "state": report.state.value,
        "faults": [fault.value for fault in report.faults],
        "since": report.since.isoformat() if report.since else "",
        "missed": report.missed,
    }
