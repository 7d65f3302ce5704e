"""One run of one pair: look at the whole state, decide, write what is owed, look again.

Before a write leaves, the journal has it durably; a write whose answer is lost is found before the
pair is planned again. Being killed between any two lines loses nothing and doubles nothing.
Deciding is `syncd.core`'s work; who runs when is the controller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    Rejected,
    RemoteError,
    Stale,
    Unintelligible,
    UploadSpent,
)
from syncd.core.lineage import Successor
from syncd.core.model import Held, Side
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Fate,
    Finding,
    Intent,
    Operation,
    UpdateTicket,
)
from syncd.core.plan import Need, Plan
from syncd.core.reaction import Action, react
from syncd.core.redaction import is_outdated
from syncd.core.settle import Settlement
from syncd.core.work import Park, Run, Step
from syncd.engine.convoy import Halt, gather, gathers_anew, passage
from syncd.engine.hops import Hops
from syncd.engine.links import Link
from syncd.engine.mass_guard import MassGuard
from syncd.engine.outcome import Imported, Outcome, Result
from syncd.engine.reading import fetch_need, gone
from syncd.engine.succession import succeed
from syncd.engine.surroundings import Surroundings
from syncd.engine.telling import tell, tell_held, tell_leak, tell_parked
from syncd.engine.transfer import Transfer
from syncd.engine.waiting import Wait, back_at, wait_after
from syncd.engine.work import Work
from syncd.log import logger, place_of

#: One run writes at most this much; the rest waits for its next turn, so that none starves another.
_MOST_WRITES = 40
#: Reads of one run that brought nothing new before it gives up and comes back later.
_MOST_READS = 6
_SAME_SECOND = timedelta(seconds=1)
#: What a desk withholds of its feed, and a moment more.
_NAMING = timedelta(seconds=65)
_RESTORE = "The imported ticket is gone. Restore it on its desk and `syncd retry PAIR`."


class PairRun:
    """The loop of one run; `_waits` holds the sides that must not be written to for now."""

    def __init__(
        self, surroundings: Surroundings, run: Run, link: Link, *, token: str, work: Work
    ) -> None:
        self._env = surroundings
        self._link = link
        self._pair = run.pair
        self._sent = run.sent
        self._work = work
        self._files = Transfer(link, work, surroundings.clock)
        self._guard = MassGuard(surroundings, work)
        self._hops = Hops(surroundings, run.pair.pair_id, most=link.policy.loop_limit)
        self._token = token
        self._waits: dict[Side, Wait] = {}
        self._writes = 0
        self._reads = 0
        self._stale: set[Side] = set()
        self._is_lost = False
        self._imported: Imported | None = None
        self._attempts: Mapping[str, int] = {i.op.op_id: i.attempt for i in run.sent}

    async def run(self) -> Outcome:
        """Bring the pair as far as its desks allow. Raises `LeaseLost` and `StoreError`."""
        self._keep_off_paused()
        park = await self._find_lost()
        while park is None:
            if self._is_lost:
                # Until a lost write is found, what it made on the desk would look like news.
                return await self._rest()
            decided = self._work.plan(self._env.clock.now())
            if decided.needs:
                if await self._read(decided.needs):
                    continue
                return await self._rest(is_unanswered=True)
            if await self._guard.stops():
                return await self._rest()
            held = self._work.decide(decided, self._env.clock.now())
            tell_held(held, self._pair)
            if decided.stop is not None:
                park = Park(reason=decided.stop.reason, hint=decided.stop.hint)
                break
            successor = decided.successor
            if successor is not None and successor.side not in self._waits:
                park = await self._succeed(successor)
                continue
            operation = self._next(decided)
            if operation is None or self._writes >= _MOST_WRITES:
                return await self._end(decided, has_more=operation is not None)
            if self._work.needs_confirmation(operation):
                # Planned again in any case: the read may have shown something new.
                await self._confirm(operation.side)
            else:
                park = await self._write(operation)
        return await self._park(park)

    def _keep_off_paused(self) -> None:
        for side, connector in self._link.connectors.items():
            until = self._env.health.paused_until(connector.name)
            if until is not None:
                self._waits[side] = Wait(until=until, counts_as_try=False)

    # --- lost writes ---

    async def _find_lost(self) -> Park | None:
        """Settle the writes that an earlier run left without an answer."""
        for intent in self._sent:
            side = intent.op.side
            connector = self._link.connectors[side]
            if side in self._waits:
                self._is_lost = True
                continue
            await gather(intent.op, Halt.BEFORE_LOOKING)
            try:
                finding = await connector.find(intent, shown=self._work.snapshots.get(side))
                if finding.is_first_hand:
                    self._env.health.succeeded(connector.name, is_write=finding.answer is not None)
            except Gone:
                # The journal keeps it: restored, the ticket still has comments of ours.
                return Park(reason=f"{side.value}_ticket_gone", hint=_RESTORE)
            except RemoteError as error:
                # The journal keeps it.
                self._is_lost = True
                park = self._wait(side, error)
                if park is not None:
                    return park
                continue
            park = await self._take_finding(intent, finding)
            if park is not None:
                return park
        return None

    async def _take_finding(self, intent: Intent, finding: Finding) -> Park | None:
        side = intent.op.side
        log = logger().bind(op_id=intent.op.op_id, side=side.value, pair=self._pair.pair_id)
        if finding.fate is Fate.AMBIGUOUS:
            hint = "Two comments on the desk could be this write; delete the double, then retry."
            return Park(reason="ambiguous_write", hint=hint)
        if finding.fate is Fate.ABSENT:
            log.info("op.absent")
            self._work.drop(intent.op.op_id)
            return None
        if finding.answer is not None:
            is_held = self._work.ticket_id(side) == finding.answer.ticket_id
            if not is_held or (finding.answer.is_named and isinstance(intent.op, UpdateTicket)):
                log.info("op.found")
            return await self._settle(intent, finding.answer, is_found=True)
        is_replaced = is_outdated(intent.op, self._work.snapshots.get(side.other))
        log.info("op.replaced" if is_replaced else "op.repeated")
        if is_replaced or gathers_anew(intent.op):
            # Under the same precondition: should the old bytes land yet, the new ones cannot.
            self._work.drop(intent.op.op_id)
            return None
        await self._keep(is_repeat=True)
        return await self._send(intent)

    # --- reading ---

    async def _read(self, needs: tuple[Need, ...]) -> bool:
        """Fetch what the plan lacks; False when a desk does not answer, or answers nothing new."""
        for need in needs:
            if need.side in self._waits or self._reads >= _MOST_READS:
                return False
            self._reads += 1
            try:
                await self._fetch(need)
            except RemoteError as error:
                self._wait(need.side, error)
                return False
        return True

    async def _fetch(self, need: Need) -> None:
        await fetch_need(self._work, need)
        self._env.health.succeeded(self._link.connectors[need.side].name)

    async def _succeed(self, successor: Successor) -> Park | None:
        """Look at the ticket in which the pair may go on."""
        try:
            stop = await succeed(self._work, successor, self._env.holders)
        except RemoteError as error:
            self._wait(successor.side, error)
            return None
        if stop is not None:
            return Park(reason=stop.reason, hint=stop.hint)
        await self._keep()
        return None

    async def _keep(self, *, is_repeat: bool = False) -> None:
        """Make durable whose a ticket is: until then, the desk's feed drops what comes to it."""
        step = self._work.step(tries=self._pair.tries, is_repeat=is_repeat)
        tell(step, self._pair.pair_id)
        await self._env.record(self._pair.pair_id, self._token, step)

    async def _confirm(self, side: Side) -> None:
        """Read the fields so that a write of fields cannot undo what hides in the same second."""
        self._reads += 1
        try:
            await self._fetch(Need(side=side, fields=True))
        except RemoteError as error:
            self._wait(side, error)
            return
        self._work.looked()
        snapshot = self._work.snapshots[side]
        if not snapshot.ticket.is_confirmed:
            # Read within the second of the last change: only the next one can tell.
            until = self._env.clock.now() + _SAME_SECOND
            self._waits[side] = Wait(until=until, counts_as_try=False)

    # --- writing ---

    def _next(self, decided: Plan) -> Operation | None:
        """The first operation of a side that may be written to."""
        for operation in decided.operations:
            if operation.side not in self._waits:
                return operation
        return None

    async def _write(self, planned: Operation) -> Park | None:
        operation = await self._files.fill(planned)
        if operation is None:
            # A late file that is not to be had yet: planned again without it.
            return None
        company = await gather(operation, Halt.BEFORE_JOURNAL)
        now = self._env.clock.now()
        attempt = self._attempts.get(operation.op_id, 0) + 1
        intent = self._work.intent(operation, attempt=attempt, now=now, company=company)
        park = await self._hops.take(intent)
        if park is not None:
            return park
        step = self._work.step(intent=intent, tries=self._pair.tries)
        tell(step, self._pair.pair_id)
        await self._env.record(self._pair.pair_id, self._token, step)
        return await self._send(intent)

    async def _send(self, intent: Intent) -> Park | None:
        """Send a journaled write and take its answer."""
        operation = intent.op
        connector = self._link.connectors[operation.side]
        log = logger().bind(op_id=operation.op_id, side=operation.side.value)
        self._writes += 1
        await gather(operation, Halt.BEFORE_LEAVING)
        log.debug("op.sent", pair=self._pair.pair_id, attempt=intent.attempt)
        try:
            async with passage(operation):
                answer = await connector.write(intent)
        except OutcomeUnknown as error:
            # Stays in the journal as sent.
            self._is_lost = True
            self._env.health.lost(error)
            log.warning("op.unknown", pair=self._pair.pair_id, reason=type(error).__name__)
            return self._wait(operation.side, error)
        except Stale as error:
            log.debug("op.stale", pair=self._pair.pair_id)
            self._work.drop(operation.op_id)
            return await self._refresh(operation.side, error)
        except UploadSpent:
            self._work.drop(operation.op_id)
            self._files.distrust(operation)
            return None
        except Gone:
            self._work.drop(operation.op_id)
            self._work.absorb(operation.side, gone(self._work, operation.side))
            return None
        except Rejected as error:
            self._work.drop(operation.op_id)
            return await self._refused(intent, error)
        except RemoteError as error:
            # Not sent, by contract: the journal must not look for it.
            self._work.drop(operation.op_id)
            return self._wait(operation.side, error)
        self._env.health.succeeded(connector.name, is_write=True)
        log.debug("op.done", pair=self._pair.pair_id)
        return await self._settle(intent, answer)

    async def _refused(self, intent: Intent, error: Rejected) -> Park | None:
        operation = intent.op
        log = logger().bind(op_id=operation.op_id, side=operation.side.value)
        if await self._has_ended(operation):
            # A ticket that was closed meanwhile refuses everything: plan for that instead.
            log.debug("op.stale", pair=self._pair.pair_id)
            return None
        log.warning("op.refused", pair=self._pair.pair_id, status=error.status)
        if self._work.refuse_status(intent, error):
            log.warning("status.refused", pair=self._pair.pair_id, fields=error.lacks)
            return None
        return Park(reason=error.refusal.value, hint=f"{error} — {error.hint}")

    async def _has_ended(self, operation: Operation) -> bool:
        """Whether a refused write met a ticket that nobody knew to have ended."""
        side = operation.side
        snapshot = self._work.snapshots.get(side)
        if isinstance(operation, CreateTicket) or snapshot is None:
            return False
        try:
            await self._fetch(Need(side=side, fields=True))
        except RemoteError as error:
            self._wait(side, error)
            return True
        return self._work.snapshots[side].ticket.end is not snapshot.ticket.end

    async def _refresh(self, side: Side, stale: Stale) -> Park | None:
        """Read what somebody changed; once in a run, or two writers would chase each other."""
        if side in self._stale or self._reads >= _MOST_READS:
            return self._wait(side, stale)
        self._stale.add(side)
        self._reads += 1
        try:
            await self._fetch(Need(side=side, fields=True))
        except RemoteError as error:
            return self._wait(side, error)
        # What the ticket's other pairs made of it, the next run is told.
        return self._wait(side, stale) if self._work.is_shared(side) else None

    async def _settle(
        self, intent: Intent, answer: Answer, *, is_found: bool = False
    ) -> Park | None:
        settlement: Settlement = self._work.settle(intent, answer, is_found=is_found)
        self._env.delivered(self._pair.pair_id, self._link.name, intent.op.side)
        # What gets through ends a run of bad luck: the pauses grow anew.
        self._pair = replace(self._pair, tries=0)
        if isinstance(intent.op, CreateTicket):
            await self._keep()
        if settlement.is_leak:
            hint = "A private comment is public on the desk: hide it there, then look at the log."
            park = Park(reason="leak", hint=hint)
            tell_leak(intent, self._link.name)
            await self._env.stop_link(self._link.name, park)
            return park
        if not answer.is_named:
            self._await_names(intent, answer)
        if settlement.stop is not None:
            return Park(reason=settlement.stop.reason, hint=settlement.stop.hint)
        return None

    def _await_names(self, intent: Intent, answer: Answer) -> None:
        """Until the imported comments have names, all of them would look like news."""
        self._is_lost = True
        self._imported = Imported(ticket_id=answer.ticket_id, sent_at=intent.sent_at)
        until = self._env.clock.now() + _NAMING
        self._waits[intent.op.side] = Wait(until=until, counts_as_try=False)

    # --- ends of a run ---

    def _wait(self, side: Side, error: RemoteError) -> Park | None:
        """Keep off a side for a while; a park when the error cannot pass by waiting."""
        now = self._env.clock.now()
        health = self._env.health
        reaction = react(error, tries=self._pair.tries)
        if isinstance(error, Unintelligible):
            if health.doubt(error) and reaction.action is Action.PARK:
                return Park(reason=type(error).__name__.lower(), hint=f"{error} — {error.hint}")
        elif not isinstance(error, OutcomeUnknown | Stale):
            health.failed(error)
        paused_until = health.paused_until(self._link.connectors[side].name)
        wait = wait_after(error, reaction, self._pair, paused_until, now=now)
        # A ticket that goes on moving is tried with growing pauses.
        wait.counts_as_try |= isinstance(error, Stale)
        self._waits[side] = wait
        return None

    async def _end(self, decided: Plan, *, has_more: bool) -> Outcome:
        """Nothing more can be written now: done, or done for this turn."""
        if decided.ends_pair:
            step = self._work.step(is_done=True, ends_pair=True)
            return await self._finish(step, Outcome(result=Result.ENDED), "pair.ended")
        if self._waits or has_more or self._work.next_file_at is not None:
            return await self._rest(held=decided.held)
        outcome = Outcome(
            result=Result.DONE,
            writes=self._writes,
            held=decided.held,
            left_out=decided.left_out,
        )
        if decided.left_out:
            # Stays marked for the next backfill, which can be asked to send them.
            step = self._work.step(not_before=self._env.clock.now())
        else:
            step = self._work.step(is_done=True)
        return await self._finish(step, outcome, "pair.reconciled")

    async def _rest(self, *, is_unanswered: bool = False, held: tuple[Held, ...] = ()) -> Outcome:
        """Come back later for what waits on a desk; a run that only wrote its fill, at once."""
        now = self._env.clock.now()
        is_full = self._writes >= _MOST_WRITES
        file_at = None if is_full else self._work.next_file_at
        until = back_at(self._waits.values(), file_at, now=now)
        is_try = any(wait.counts_as_try for wait in self._waits.values())
        if is_unanswered and not self._waits:
            # The desk answered and brought nothing new: its delay, not ours.
            until, is_try = now + _SAME_SECOND, True
        step = self._work.step(not_before=until, tries=self._pair.tries + 1 if is_try else 0)
        outcome = Outcome(
            result=Result.WAITING,
            is_dirty=True,
            retry_at=until,
            writes=self._writes,
            held=held,
            imported=self._imported,
        )
        return await self._finish(step, outcome, "pair.waiting")

    async def _park(self, park: Park) -> Outcome:
        step = self._work.step(park=park)
        tell_parked(park, self._pair)
        return await self._finish(step, Outcome(result=Result.PARKED), None)

    async def park_for(self, bug: Exception) -> Outcome:
        """Stop the pair because of a fault of ours; a write on its way stays in the journal."""
        place = place_of(bug)
        reason = type(bug).__name__
        logger().error("pair.failed", pair=self._pair.pair_id, reason=reason, place=place)
        hint = f"A bug in syncd ({reason} at {place}); report it, then `syncd retry PAIR`."
        step = Step(revision=self._pair.revision, park=Park(reason="bug", hint=hint))
        return await self._finish(step, Outcome(result=Result.PARKED, is_bug=True), None)

    async def _finish(self, step: Step, outcome: Outcome, event: str | None) -> Outcome:
        tell(step, self._pair.pair_id)
        is_dirty = await self._env.record(self._pair.pair_id, self._token, step)
        if event is not None:
            retry_at = outcome.retry_at.isoformat() if outcome.retry_at else None
            log = logger().bind(pair=self._pair.pair_id, link=self._link.name)
            log.debug(event, writes=self._writes, retry_at=retry_at)
        return replace(outcome, is_dirty=is_dirty)
