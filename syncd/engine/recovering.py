"""Recover one pair of a store that lost its tail: find on both desks what it has forgotten.

Reads, and never writes to a desk. Both threads are read to their ends, a twin and its follow-ups
are looked for by their external ids, and whatever is ours there is taken into the base. What cannot
be told apart is left to a person. Which comments are ours is `core.recognition`'s to say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from syncd.core.ends import LOST
from syncd.core.errors import RateLimited, RemoteError, Unauthorised, Unreachable
from syncd.core.forgotten_hand_off import replay_hand_offs
from syncd.core.lineage import Kin, Successor
from syncd.core.mirror import merge_snapshot
from syncd.core.model import CommentId, ConnectionName, End, Side
from syncd.core.operations import Answer, Fate
from syncd.core.plan import Need
from syncd.core.reaction import react
from syncd.core.recognition import follow_our_status, lookup, recognise, take_kinds
from syncd.core.work import Park, Step
from syncd.engine.links import Link
from syncd.engine.outcome import Outcome, Result
from syncd.engine.reading import fetch_need
from syncd.engine.succession import succeed
from syncd.engine.surroundings import Surroundings
from syncd.engine.telling import tell, tell_parked
from syncd.engine.waiting import wait_after
from syncd.engine.work import Work
from syncd.log import logger

Record = Callable[[Step], Awaitable[None]]

REASON = "ambiguous_recovery"
#: Tickets of one lineage that are looked for one after another.
_MOST_TICKETS = 20
_MOST_PLANS = 5


@dataclass(slots=True)
class Recovered:
    """What was found for one pair."""

    #: Comments of ours that the store did not know.
    comments: int = 0
    #: Tickets of the pair that it did not know.
    tickets: int = 0
    #: Why a person must look, and the comments that it is about.
    park: Park | None = None
    doubtful: tuple[tuple[Side, CommentId], ...] = ()


class PairRecovery:
    """The recovery of one pair, within a run that holds its `work`."""

    def __init__(
        self,
        surroundings: Surroundings,
        link: Link,
        work: Work,
        *,
        record: Record,
        is_ours: bool = False,
    ) -> None:
        """`record` makes a step durable; with `is_ours` a person vouches for what is in doubt."""
        self._link = link
        self._work = work
        self._env = surroundings
        self._writers: dict[Side, frozenset[str]] = {}
        self._record = record
        self._is_ours = is_ours
        self._found = Recovered()

    async def run(self) -> Recovered:
        """Find what there is. The caller keeps what is left in `work`, and lets go of the doubt.

        Raises `RemoteError` leaves, `LeaseLost` and `StoreError`; then the pair is doubtful still.
        """
        for side, connector in self._link.connectors.items():
            self._writers[side] = await self._env.our_writers(connector.name)
        await self._read(Side.PLATFORM)
        if Side.PLATFORM not in self._work.snapshots:
            return self._found
        if self._work.ticket_id(Side.PARTNER) is not None:
            await self._read(Side.PARTNER)
        elif not await self._find_twin():
            self._recognise()
            return self._found
        for _ in range(_MOST_TICKETS):
            self._recognise()
            if self._found.park is not None or not await self._go_on():
                break
        if self._found.park is None:
            self._agree()
        return self._found

    async def _read(self, side: Side) -> None:
        snapshot = self._work.snapshots.get(side)
        if snapshot is not None and snapshot.ticket.end in LOST:
            # The feed says more of how it went than a read that finds nothing.
            return
        need = Need(side=side, fields=True, thread=True, is_whole_thread=True)
        await fetch_need(self._work, need)

    # --- tickets ---------------------------------------------------------------------------------

    async def _find_twin(self) -> bool:
        """Whether a forgotten birth has made the twin, which then is the pair's."""
        answer = await self._look_up(self._work.pair_key)
        if answer is None:
            return False
        self._work.take_twin(answer)
        await self._keep()
        return True

    async def _look_up(self, external_id: str) -> Answer | None:
        platform = self._work.snapshots[Side.PLATFORM].ticket
        operation = lookup(external_id, platform.requester)
        intent = self._work.intent(operation, attempt=0, now=self._env.clock.now())
        finding = await self._link.connectors[Side.PARTNER].find(intent)
        if finding.fate is Fate.AMBIGUOUS:
            hint = "Several tickets are this pair's twin; merge or delete the doubles, then retry."
            self._found.park = Park(reason=REASON, hint=hint)
        return finding.answer

    async def _go_on(self) -> bool:
        """Whether the pair goes on in another ticket by now, and is there."""
        partner = self._work.snapshots[Side.PARTNER]
        before = partner.ticket.ticket_id
        if partner.ticket.end is End.MERGED:
            successor = Successor(
                side=Side.PARTNER, kin=Kin.MERGED, ticket_id=partner.ticket.merged_into
            )
            await succeed(self._work, successor, self._env.holders)
        elif partner.ticket.end is End.FINAL:
            answer = await self._look_up(f"{self._work.pair_key}/{before}")
            found = None if answer is None else merge_snapshot(None, answer.sighting)
            if answer is not None and found is not None:
                successor = Successor(
                    side=Side.PARTNER, kin=Kin.FOLLOW_UP, ticket_id=answer.ticket_id
                )
                self._work.join(successor, found, answer.sighting)
        if self._work.ticket_id(Side.PARTNER) == before:
            return False
        await self._keep()
        return True

    async def _keep(self) -> None:
        """Make durable whose a ticket is, before another one is looked for."""
        self._found.tickets += 1
        await self._record(self._work.step())

    # --- comments, notes, status -----------------------------------------------------------------

    def _recognise(self) -> None:
        work = self._work
        before = work.base
        recognised = recognise(
            before,
            work.snapshots,
            policy=self._link.policy,
            capabilities=self._link.capabilities,
            pair_key=work.pair_key,
            writers=self._writers,
            is_ours=self._is_ours,
        )
        work.base = replay_hand_offs(
            recognised.base, before, work.snapshots, self._link.policy, work.pair_key
        )
        self._found.comments += recognised.found
        self._found.doubtful = recognised.doubtful
        if recognised.doubtful:
            self._found.park = Park(reason=REASON, hint=_hint(recognised.doubtful))

    def _agree(self) -> None:
        """Take what we wrote last for what was agreed; name the notes that would come again."""
        work = self._work
        work.base = follow_our_status(work.base, work.snapshots, self._link.policy, self._writers)
        for _ in range(_MOST_PLANS):
            planned = work.plan(self._env.clock.now())
            named = take_kinds(work.base, planned.base)
            if named == work.base:
                return
            work.base = named


def _hint(doubtful: tuple[tuple[Side, CommentId], ...]) -> str:
    named = ", ".join(f"{comment_id} on the {side}'s side" for side, comment_id in doubtful[:5])
    return (
        f"By syncd's own account, and nothing that it would have written: {named}. If a person"
        " wrote it, `syncd release PAIR COMMENT --side SIDE` and `syncd retry PAIR`; if not,"
        " `syncd recover PAIR --ours`."
    )


async def recover_first(
    surroundings: Surroundings, link: Link, work: Work, *, token: str
) -> Outcome | None:
    """Recover a doubtful pair before its run; None when the run may go on.

    Raises `LeaseLost` and `StoreError`.
    """
    pair, clock = work.pair, surroundings.clock

    async def record(step: Step) -> None:
        tell(step, pair.pair_id)
        await surroundings.record(pair.pair_id, token, step)

    recovery = PairRecovery(surroundings, link, work, record=record)
    try:
        recovered = await recovery.run()
    except RemoteError as error:
        if isinstance(error, Unreachable | RateLimited | Unauthorised):
            surroundings.health.failed(error)
        paused = surroundings.health.paused_until(ConnectionName(error.connection))
        reaction = react(error, tries=pair.tries)
        wait = wait_after(error, reaction, pair, paused, now=clock.now())
        tries = pair.tries + 1 if wait.counts_as_try else 0
        await record(work.step(not_before=wait.until, tries=tries))
        return Outcome(result=Result.WAITING, is_dirty=True, retry_at=wait.until)
    if recovered.park is not None:
        tell_parked(recovered.park, pair)
        await record(work.step(park=recovered.park))
        return Outcome(result=Result.PARKED)
    await record(work.step(is_recovered=True))
    tell_recovered(recovered, pair.pair_id)
    return None


def tell_recovered(recovered: Recovered, pair_id: object) -> None:
    """A pair is doubtful no more."""
    logger().info(
        "pair.recovered", pair=pair_id, comments=recovered.comments, tickets=recovered.tickets
    )
