"""One run of one pair, as far as it has got: what is known, and what is not yet durable.

Holds values only; `reconcile` drives it, `syncd.core` decides. Whatever a run has learnt since its
last step travels in the next one, so that a change costs two commits: one before its write leaves,
one after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from syncd.core.agreed import HandOffState
from syncd.core.ball import ball_of
from syncd.core.decision import Circumstances
from syncd.core.ends import Stop
from syncd.core.errors import Refusal, Rejected
from syncd.core.file_map import due_keys, late_keys, next_try_at, timed
from syncd.core.lineage import Successor, join, moved, tell_refused
from syncd.core.loop import is_hop
from syncd.core.mirror import merge_snapshot, with_earlier
from syncd.core.model import (
    Conflict,
    ConnectionName,
    Held,
    OpId,
    Side,
    Sighting,
    Snapshot,
    Status,
    TicketId,
    Transition,
)
from syncd.core.notes import NoteKind
from syncd.core.operations import Answer, CreateTicket, Intent, Operation, UpdateTicket
from syncd.core.owing import note_key, was_noted
from syncd.core.plan import Plan, plan
from syncd.core.recognition import take_twin
from syncd.core.refusal import refuse_status
from syncd.core.settle import Settlement, settle
from syncd.core.stamp import stamp_for
from syncd.core.thread import known_ids, newest_id, note_keys
from syncd.core.work import Joined, Park, Run, Settled, Step
from syncd.engine.links import Link

_SET_BACK = (
    "The desk shows the ticket as it was before, as after a restored backup. Put right there what "
    "is missing, then `syncd retry PAIR`; what was carried already is not sent again."
)


class Work:
    """The state of a run."""

    def __init__(self, run: Run, link: Link, *, is_quiet: bool, is_historic: bool = False) -> None:
        self.pair = run.pair
        self.link = link
        self.base = run.base
        self._recorded = run.base
        self.snapshots: dict[Side, Snapshot] = {
            side: snapshot for side, snapshot in run.snapshots.items() if snapshot is not None
        }
        self._siblings = tuple(Status(value) for value in run.sibling_statuses)
        self._is_quiet = is_quiet
        self._is_historic = is_historic
        self._lineage = set(run.lineage)
        self._follow_ups = run.follow_ups
        self._has_looked = False
        self._set_back: Side | None = None
        self._refusals: dict[Successor, Stop] = {}
        self._joined: list[Joined] = []
        self._settled: list[Settled] = []
        self._created: tuple[Side, ConnectionName, TicketId] | None = None
        self._sightings: dict[ConnectionName, list[Sighting]] = {}
        self._conflicts: list[Conflict] = []
        self._transitions: list[Transition] = []

    @property
    def pair_key(self) -> str:
        """Names the pair on both desks for ever: link and platform ticket."""
        return f"syncd:{self.link.name}:{self.pair.tickets[Side.PLATFORM]}"

    def is_shared(self, side: Side) -> bool:
        """Whether other partners have a pair with the ticket of that side."""
        snapshot = self.snapshots.get(side)
        others = self.link.policy.other_views
        return snapshot is not None and bool(snapshot.ticket.views & others)

    def plan(self, now: datetime) -> Plan:
        """What is to be done now."""
        if self._set_back is not None:
            stop = Stop(reason=f"{self._set_back.value}_set_back", hint=_SET_BACK)
            return Plan(base=self.base, stop=stop)
        self.base = timed(self.base, now)
        return plan(
            self.base,
            self.snapshots,
            policy=self.link.policy,
            capabilities=self.link.capabilities,
            circumstances=self.circumstances(now),
        )

    def circumstances(self, now: datetime) -> Circumstances:
        """What a plan must know beside the tickets."""
        return Circumstances(
            pair_key=self.pair_key,
            is_silent=self.pair.is_silent_birth,
            is_quiet=self._is_quiet,
            is_historic=self._is_historic,
            is_hand_off_late=self._is_late(now),
            siblings=self._siblings,
            due_files=due_keys(self.base, now),
            late_files=late_keys(self.base, now, self.link.policy),
            strays=self._strays(),
        )

    @property
    def next_file_at(self) -> datetime | None:
        """When the next owed file is tried; None when none is owed."""
        return next_try_at(self.base)

    def _strays(self) -> tuple[TicketId, ...]:
        """Follow-ups that are not ours; one that was told of in an earlier run is left alone."""
        partner = self.snapshots.get(Side.PARTNER)
        newest = partner.ticket.follow_ups if partner is not None else frozenset[TicketId]()
        told = note_keys(self.base)
        refused = {successor.ticket_id for successor in self._refusals}
        return tuple(
            ticket_id
            for ticket_id in sorted((self._follow_ups | newest) - self._lineage)
            if ticket_id in refused
            or note_key(NoteKind.FOLLOW_UP_NOT_FOLLOWED, Side.PLATFORM, ticket_id) not in told
        )

    def refusal(self, successor: Successor) -> Stop | None:
        """Why this run does not go on in the successor; None while nobody has looked."""
        return self._refusals.get(successor)

    def refuse(self, successor: Successor, stop: Stop, *, url: str) -> None:
        """The pair does not go on there; the other side is owed a word about it."""
        self._refusals[successor] = stop
        self.base = tell_refused(self.base, successor, url, self.link.policy)

    def join(self, successor: Successor, found: Snapshot, sighting: Sighting) -> None:
        """The pair goes on in a ticket that it did not make."""
        side = successor.side
        predecessor = self.snapshots[side]
        self.base, moved = join(self.base, successor.kin, predecessor, found, self.link.policy)
        self._transitions.append(moved)
        connection = self.link.connectors[side].name
        self._joined.append(
            Joined(
                side=side,
                connection=connection,
                ticket_id=found.ticket.ticket_id,
                kind=successor.kin.value,
            )
        )
        self._move(side, found.ticket.ticket_id, sighting)

    def take_twin(self, answer: Answer) -> None:
        """The twin that a forgotten birth made is the pair's."""
        side = Side.PARTNER
        platform = self.snapshots[Side.PLATFORM].ticket
        self.base = take_twin(self.base, platform, self.link.policy)
        self._created = (side, self.link.connectors[side].name, answer.ticket_id)
        self._move(side, answer.ticket_id, answer.sighting)

    def _move(self, side: Side, ticket_id: TicketId, sighting: Sighting) -> None:
        before = self.snapshots.pop(side, None)
        self._lineage.add(ticket_id)
        self.pair = replace(self.pair, tickets={**self.pair.tickets, side: ticket_id})
        self.absorb(side, sighting)
        if before is not None:
            self.snapshots[side] = with_earlier(self.snapshots[side], before.comments)

    def _is_late(self, now: datetime) -> bool:
        hand_off = self.base.hand_off
        if hand_off.state is not HandOffState.OFFERED or hand_off.seen_at is None:
            return False
        waited = now - hand_off.seen_at
        return waited.total_seconds() >= self.link.policy.confirm_minutes * 60

    def decide(self, decided: Plan, now: datetime) -> tuple[Held, ...]:
        """Take a plan's decisions over; they become durable with the next step.

        Returns the comments that wait for a person from now on, each once in the life of the pair.
        """
        before = self.base
        base = decided.base
        hand_off = base.hand_off
        if hand_off.state is HandOffState.OFFERED and hand_off.seen_at is None:
            base = replace(base, hand_off=replace(hand_off, seen_at=now))
        self.base = base
        self._conflicts += decided.conflicts
        self._transitions += decided.transitions
        # The note about it is owed once, and so tells the first look from the later ones.
        told = NoteKind.PUBLIC_PHRASE_HELD
        return tuple(
            held for held in decided.held if not was_noted(before, told, held.side, held.comment_id)
        )

    def absorb(self, side: Side, sighting: Sighting) -> None:
        """Take what a read or an answer showed."""
        merged = merge_snapshot(self.snapshots.get(side), sighting)
        if merged is not None:
            self.snapshots[side] = merged
        connection = self.link.connectors[side].name
        self._sightings.setdefault(connection, []).append(sighting)

    def set_back(self, side: Side, sighting: Sighting) -> None:
        """The desk was put back to an older state: that counts, once a person has looked."""
        self._set_back = side
        self.absorb(side, replace(sighting, is_set_back=True))

    def intent(
        self, operation: Operation, *, attempt: int, now: datetime, company: int = 1
    ) -> Intent:
        """The operation with everything that must be known should its answer be lost."""
        is_creation = isinstance(operation, CreateTicket)
        snapshot = None if is_creation else self.snapshots.get(operation.side)
        ticket = snapshot.ticket if snapshot else None
        return Intent(
            op=operation,
            pair_id=self.pair.pair_id,
            connection=self.link.connectors[operation.side].name,
            stamp=stamp_for(self.link.name, operation.op_id),
            precondition=ticket.precondition if ticket else None,
            tags_before=ticket.tags if ticket else frozenset(),
            status_before=ticket.status if ticket else None,
            highest_comment_id=newest_id(snapshot.comments) if snapshot else None,
            known_ids=known_ids(self.base, operation.side),
            attempt=attempt,
            sent_at=now,
            company=company,
            is_hop=is_hop(operation, self.base, self.snapshots),
        )

    def settle(self, intent: Intent, answer: Answer, *, is_found: bool = False) -> Settlement:
        """Take the answer to a write: the mirror, the base and the journal follow it together.

        `is_found` when the answer was lost and the write found later; the ticket may have moved on.
        """
        operation = intent.op
        before = self.ticket_id(operation.side)
        created = None
        if isinstance(operation, CreateTicket) and before != answer.ticket_id:
            created = (operation.side, intent.connection, answer.ticket_id)
            if before is not None:
                self._transitions.append(moved(before, answer.ticket_id))
            self._move(operation.side, answer.ticket_id, answer.sighting)
        else:
            self.absorb(operation.side, answer.sighting)
        settlement = settle(self.base, intent, answer, policy=self.link.policy, is_found=is_found)
        self.base = settlement.base
        self._conflicts += settlement.conflicts
        self._transitions += settlement.transitions
        if not answer.is_named:
            self._created = created
            return settlement
        self._settled.append(
            Settled(
                op_id=operation.op_id,
                is_done=True,
                created=created,
                comment_ids=answer.comment_ids,
            )
        )
        return settlement

    def refuse_status(self, intent: Intent, error: Rejected) -> bool:
        """Whether the refusal was about the status alone, which then waits without the rest."""
        operation = intent.op
        if error.refusal is not Refusal.STATUS or operation.side not in self.snapshots:
            return False
        target, policy = self.snapshots[operation.side], self.link.policy
        base = refuse_status(self.base, operation, target, error.lacks, policy)
        if base is None:
            return False
        self.base = base
        return True

    def drop(self, op_id: OpId) -> None:
        """The write never landed and never will."""
        self._settled.append(Settled(op_id=op_id, is_done=False))

    def needs_confirmation(self, operation: Operation) -> bool:
        """Whether the ticket must be read first, because its precondition could hide a change.

        Only a write of fields can undo somebody's change; a comment is added whatever else
        happened, and a lost one is found by itself. A closed ticket may have a follow-up already.
        """
        if isinstance(operation, CreateTicket) and operation.follow_up_of is not None:
            return not self._has_looked
        if not isinstance(operation, UpdateTicket):
            return False
        if operation.status is None and not operation.add_tags and not operation.remove_tags:
            return False
        return not self.snapshots[operation.side].ticket.is_confirmed

    def looked(self) -> None:
        """The partner's ticket was read just now."""
        self._has_looked = True

    def ticket_id(self, side: Side) -> TicketId | None:
        """The ticket of a side; None before the partner's is born."""
        return self.pair.tickets[side]

    def step(
        self,
        *,
        intent: Intent | None = None,
        is_repeat: bool = False,
        is_done: bool = False,
        not_before: datetime | None = None,
        tries: int = 0,
        park: Park | None = None,
        ends_pair: bool = False,
        is_recovered: bool = False,
    ) -> Step:
        """Everything learnt since the last step, as one unit; the run then holds nothing."""
        is_over = is_done or park is not None or ends_pair
        step = Step(
            revision=self.pair.revision,
            settled=tuple(self._settled),
            created=self._created,
            joined=tuple(self._joined),
            sightings=self._taken_sightings(),
            base=self.base if self.base != self._recorded else None,
            conflicts=tuple(self._conflicts),
            transitions=tuple(self._transitions),
            intent=intent,
            is_repeat=is_repeat,
            done_gen=self.pair.marked_gen if is_over else None,
            not_before=not_before,
            tries=tries,
            park=park,
            ends_pair=ends_pair,
            is_recovered=is_recovered,
            ball=ball_of(self.base),
        )
        self._settled, self._conflicts, self._transitions = [], [], []
        self._created = None
        self._joined = []
        self._sightings = {}
        self._recorded = self.base
        return step

    def _taken_sightings(self) -> Mapping[ConnectionName, tuple[Sighting, ...]]:
        return {connection: tuple(seen) for connection, seen in self._sightings.items()}
