"""A pair between two desks in memory, and the smallest engine that obeys the plan.

What is durable in the real store survives a kill here too: the mirror, the base and the journal.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from syncd.core.agreed import Base
from syncd.core.decision import Circumstances
from syncd.core.ends import Stop
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Conflict, LinkName, PairId, Side, Sighting, Snapshot, Transition
from syncd.core.operations import Answer, Fate, Intent, Operation, UpdateTicket
from syncd.core.plan import Need, Plan, plan
from syncd.core.policy import LinkPolicy
from syncd.core.settle import settle
from syncd.core.stamp import stamp_for
from syncd.core.thread import known_ids, newest_id
from tests.support.build import AT, LINK, PARTNER, PLATFORM
from tests.support.desks import Desk, Refused, Ticking, a_partner, a_platform

PAIR_KEY = "syncd:acme-postgres:T1"
VIEW = "acme"
_MOST_TURNS = 400


class Fault(Enum):
    """What goes wrong with one write."""

    NONE = "none"
    #: Killed after the journal has it and before the first byte left.
    BEFORE = "before"
    #: It landed and the answer never came.
    AFTER = "after"


def a_policy(
    *,
    link: LinkName = LINK,
    view: str = VIEW,
    share_tags: tuple[str, ...] = ("t-*",),
    other_views: frozenset[str] = frozenset({"other"}),
) -> LinkPolicy:
    return LinkPolicy(link=link, view=view, share_tags=share_tags, other_views=other_views)


class Twins:
    """Two desks, what syncd knows of them, and one operation at a time."""

    def __init__(
        self,
        policy: LinkPolicy | None = None,
        *,
        has_readable_stamps: bool = True,
        is_hasty: bool = False,
    ) -> None:
        self.clock = Ticking()
        self.policy = policy or a_policy()
        self.desks: dict[Side, Desk] = {
            Side.PLATFORM: a_platform(self.clock, has_readable_stamps=has_readable_stamps),
            Side.PARTNER: a_partner(self.clock, has_readable_stamps=has_readable_stamps),
        }
        self.base = Base()
        self.snapshots: dict[Side, Snapshot] = {}
        self.sent: Intent | None = None
        self.circumstances = Circumstances(pair_key=PAIR_KEY)
        self.written: list[Operation] = []
        self.conflicts: list[Conflict] = []
        self.transitions: list[Transition] = []
        self.stop: Stop | None = None
        self.is_ended = False
        #: Writes fields even where a change may hide in the same second.
        self.is_hasty = is_hasty

    @property
    def platform(self) -> Desk:
        return self.desks[Side.PLATFORM]

    @property
    def partner(self) -> Desk:
        return self.desks[Side.PARTNER]

    def see(self, side: Side, sighting: Sighting | None = None) -> None:
        """Let the mirror take a sighting, by default a whole read."""
        if not self.desks[side].is_born:
            return
        merged = merge_snapshot(self.snapshots.get(side), sighting or self.desks[side].read())
        if merged is not None:
            self.snapshots[side] = merged

    def look(self) -> Plan:
        """The plan as things stand, after the reads that it asks for."""
        needs: tuple[Need, ...] = ()
        for _ in range(10):
            decided = plan(
                self.base,
                self.snapshots,
                policy=self.policy,
                capabilities={side: desk.capabilities for side, desk in self.desks.items()},
                circumstances=self.circumstances,
            )
            if not decided.needs:
                return decided
            needs = decided.needs
            for need in needs:
                self.see(need.side)
        raise AssertionError(f"a read never satisfies {needs}")

    def turn(self, fault: Fault = Fault.NONE) -> bool:
        """Settle what was left unanswered, then perform one operation; False when none is due."""
        if self.sent is not None:
            self._find()
            return True
        decided = self.look()
        self.base = decided.base
        self.conflicts += decided.conflicts
        self.transitions += decided.transitions
        self.stop = decided.stop
        self.is_ended = decided.ends_pair
        if not decided.operations:
            return False
        self._perform(decided.operations[0], fault)
        return True

    def settle_down(self) -> int:
        """See everything and work until nothing is due; how many turns that took."""
        turns = 0
        for _ in range(6):
            self.clock.advance(2)
            for side in Side:
                self.see(side)
            worked = False
            while self.turn():
                worked = True
                turns += 1
                assert turns < _MOST_TURNS, "never comes to rest"
            if not worked:
                return turns
        raise AssertionError("every look finds something new")

    # --- one write ---

    def _perform(self, operation: Operation, fault: Fault) -> None:
        snapshot = self.snapshots.get(operation.side)
        has_fields = isinstance(operation, UpdateTicket) and (
            operation.status is not None or operation.add_tags or operation.remove_tags
        )
        if has_fields and snapshot and not snapshot.ticket.is_confirmed and not self.is_hasty:
            self.clock.advance(2)
            self.see(operation.side)
            return
        ticket = snapshot.ticket if snapshot else None
        intent = Intent(
            op=operation,
            pair_id=PairId(1),
            connection=PLATFORM if operation.side is Side.PLATFORM else PARTNER,
            stamp=stamp_for(self.policy.link, operation.op_id),
            precondition=ticket.precondition if ticket else None,
            tags_before=ticket.tags if ticket else frozenset(),
            status_before=ticket.status if ticket else None,
            highest_comment_id=newest_id(snapshot.comments) if snapshot else None,
            known_ids=known_ids(self.base, operation.side),
            attempt=1,
            sent_at=AT,
        )
        self.sent = intent
        if fault is Fault.BEFORE:
            return
        self._send(intent, is_answered=fault is Fault.NONE)

    def _send(self, intent: Intent, *, is_answered: bool = True) -> None:
        desk = self.desks[intent.op.side]
        try:
            answer = desk.write(intent)
        except Refused:
            self.sent = None
            self.see(intent.op.side)
            return
        self.written.append(intent.op)
        if is_answered:
            self._settle(intent, answer)

    def _find(self) -> None:
        intent = self.sent
        assert intent is not None
        finding = self.desks[intent.op.side].find(intent)
        if finding.fate is Fate.ABSENT:
            self.sent = None
            self.see(intent.op.side)
        elif finding.answer is not None:
            self._settle(intent, finding.answer, is_found=True)
        else:
            self._send(intent)

    def _settle(self, intent: Intent, answer: Answer, *, is_found: bool = False) -> None:
        self.see(intent.op.side, answer.sighting)
        settled = settle(self.base, intent, answer, policy=self.policy, is_found=is_found)
        assert not settled.is_leak
        self.base = settled.base
        self.conflicts += settled.conflicts
        self.transitions += settled.transitions
        self.stop = settled.stop
        self.sent = None

    def forget(self) -> None:
        """Lose everything but the desks."""
        self.base, self.snapshots, self.sent = Base(), {}, None
        self.circumstances = replace(self.circumstances)
