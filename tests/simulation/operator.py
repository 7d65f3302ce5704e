"""The person who runs syncd: the commands of its CLI, as a process of its own beside the daemon.

Nothing of the daemon's life is used: whatever is asked here goes through another opening of the
store's file, as `syncd pause` and its like do it, and may be asked while the daemon is dead.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from config.loaded import Config
from connectors import registry
from syncd.app import Parts, parts
from syncd.core.errors import SyncdError
from syncd.core.model import LinkName, Side
from syncd.core.work import BY_HAND, Pair, PairState, Park
from syncd.engine.backfill import Backfill
from syncd.store import SqliteStore, open_store
from tests.simulation.clock import LoopClock, LoopExecutor, VirtualLoop
from tests.simulation.desks import VIEWS
from tests.simulation.ledger import Ledger, LetGo
from tests.simulation.network import Network, Wire

_WHO = "ops"
_MASS_CHANGE = "mass_change"
#: Why a pair stopped that a person lets go on when they have looked at it: people who write as
#: fast as machines are taken for some.
_LET_GO = {BY_HAND, "loop"}
#: A link that is confirmed may be stopped again by what piled up behind it.
_MOST_CONFIRMED = 5


class Operator:
    """Carries out commands, one after the other."""

    def __init__(self, config: Config, loop: VirtualLoop, network: Network, ledger: Ledger) -> None:
        self._config = config
        self._ledger = ledger
        self._loop = loop
        self._network = network
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[None]] = set()
        #: What a command died of that is no plain word to the person who gave it.
        self.failures: list[str] = []

    def ask(self, verb: str, link: LinkName, ticket_id: str) -> None:
        """Give a command, and do not wait for its end."""
        task = self._loop.create_task(
            self._carry_out(verb, link, ticket_id), context=contextvars.Context()
        )
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def put_right(self, *, has_history: bool) -> bool:
        """Let everything go on that a person stopped or is asked about; whether there was any."""
        if self._asked:
            await asyncio.wait(set(self._asked))
        before: bool = await self._with_parts(None, self._loosen)
        if has_history:
            for link in self._config.links:
                await self._carry_out("backfill", LinkName(link), "")
        return before

    async def end(self) -> None:
        """Give up what is still going on."""
        for task in list(self._asked):
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)

    async def _carry_out(self, verb: str, link: LinkName, ticket_id: str) -> None:
        async with self._turn:
            try:
                if verb == "backfill":
                    await self._with_parts(f"backfill-{link}", self._backfill, link)
                elif verb in {"pause", "resume", "confirm"}:
                    await self._with_parts(None, self._of_link, verb, link)
                else:
                    await self._with_parts(None, self._of_pair, verb, link, ticket_id)
            except SyncdError:
                # The command says why and what to do, and the person tries again some other time.
                return
            except Exception as error:  # noqa: BLE001 - a bug, told at the end
                self.failures.append(f"{verb}: {error!r}")

    async def _with_parts(
        self, owner: str | None, do: Callable[..., Coroutine[Any, Any, Any]], *args: Any
    ) -> Any:
        def connect(kind: str) -> Callable[..., Any]:
            return functools.partial(registry.connect(kind), transport=Wire(self._network))

        async with parts(
            self._config,
            owner=owner,
            clock=LoopClock(self._loop),
            connect=connect,
            opened=self._open,
        ) as made:
            return await do(made, *args)

    def _open(self, path: Path) -> SqliteStore:
        return open_store(path, is_durable=False, executor=LoopExecutor(self._loop, lambda: 0.001))

    # --- the commands ----------------------------------------------------------------------------

    async def _backfill(self, made: Parts, link: LinkName) -> None:
        found = made.links.find(link)
        assert found is not None
        if link in await made.store.paused_links() or link in await made.store.parked_links():
            return
        backfill = Backfill(
            found,
            store=made.store,
            intake=made.intake,
            reconciler=made.reconciler,
            clock=made.clock,
        )
        await backfill.run(since=None, progress=lambda report: None)

    async def _of_link(self, made: Parts, verb: str, link: LinkName) -> None:
        store, now = made.store, made.clock.now()
        if verb == "pause":
            await store.pause_link(link, actor=_WHO, now=now)
        elif verb == "resume":
            await store.resume_link(link, actor=_WHO, now=now)
        else:
            await self._confirm(made, link)

    async def _confirm(self, made: Parts, link: LinkName) -> bool:
        park = (await made.store.parked_links()).get(link)
        found = made.links.find(link)
        assert found is not None
        if park is None or park.reason != _MASS_CHANGE:
            return False
        has_views = found.capabilities[Side.PLATFORM].has_views
        changes = await made.store.pending_changes(found.policy, has_views=has_views)
        return await made.store.confirm_link(link, changes, actor=_WHO, now=made.clock.now())

    async def _of_pair(self, made: Parts, verb: str, link: LinkName, ticket_id: str) -> None:
        store, now = made.store, made.clock.now()
        for pair in await store.find_pairs(link=link, limit=10_000):
            if str(pair.tickets[Side.PLATFORM]) != ticket_id:
                continue
            if verb == "park":
                park = Park(reason=BY_HAND, hint="")
                await store.park(pair.pair_id, park, actor=_WHO, reason="", now=now)
            elif verb == "retry":
                await self._let_go(made, pair)
            else:
                await store.replay(pair.pair_id, actor=_WHO, now=now)

    async def _loosen(self, made: Parts) -> bool:
        store, now = made.store, made.clock.now()
        is_news = False
        for link in sorted(await store.paused_links()):
            is_news |= await store.resume_link(link, actor=_WHO, now=now)
        for _ in range(_MOST_CONFIRMED):
            for link in sorted(await store.parked_links()):
                is_news |= await self._confirm(made, link)
        for pair in await store.find_pairs(state=PairState.PARKED, limit=10_000):
            if pair.reason in _LET_GO:
                is_news |= await self._let_go(made, pair)
        return is_news

    async def _let_go(self, made: Parts, pair: Pair) -> bool:
        is_news = await made.store.unpark(pair.pair_id, actor=_WHO, now=made.clock.now())
        if is_news:
            self._ledger.let_go.append(
                LetGo(
                    at=self._loop.seconds,
                    pair_id=str(pair.pair_id),
                    link=pair.link,
                    platform=str(pair.tickets[Side.PLATFORM]),
                    reason=pair.reason,
                )
            )
        return is_news


def link_of(partner: str) -> LinkName:
    """The link to a partner."""
    return LinkName(VIEWS[partner])
