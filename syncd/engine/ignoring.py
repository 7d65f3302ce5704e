"""Work out what a person leaves as it is: what a pair is parked for, or one thing by its name.

Nothing is written, neither here nor on a desk; whoever asked makes it durable (`Deeds.ignore`),
which refuses it when the pair has moved on since.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from syncd.core.agreed import Base
from syncd.core.carrying import file_key
from syncd.core.decision import decide
from syncd.core.errors import Gone, Refusal
from syncd.core.file_map import owed_files
from syncd.core.ignoring import (
    Left,
    call_off,
    leave_comment,
    leave_file,
    leave_lost_tags,
    leave_note,
    leave_operation,
    leave_status,
    leave_write,
)
from syncd.core.inspection import Inspection
from syncd.core.model import CommentId, OpId, Side
from syncd.core.operations import CreateTicket, Fate, Operation, copy_op
from syncd.core.plan import Plan
from syncd.core.status import owed_status
from syncd.core.thread import news
from syncd.core.work import Ignored, PairState
from syncd.core.writes import Writes
from syncd.engine.links import Link
from syncd.engine.reading import fetch_need
from syncd.engine.work import Work
from syncd.ports import Clock

_MOST_READS = 6
#: Parked after the fact: nothing is owed any more.
_AFTERWARDS = frozenset({"visibility_unknown", "comment_not_public", "partner_follow_up"})
_UNLINK = "`syncd unlink PAIR` ends it, and leaves both tickets as they are."
_RESTORE = f"Restore or mend the ticket at its desk, then `syncd retry PAIR`; or {_UNLINK}"
#: What can be mended, and not be left: without it nothing can be planned.
_MEND = {
    "unmapped_status": "Add the status to the link's `status:`, reload, and `syncd retry PAIR`.",
    "loop": "Find the trigger or bot that answers, then `syncd retry PAIR`.",
    "unintelligible": "Look for a proxy or a maintenance page, then `syncd retry PAIR`.",
    "bug": "Report it, and `syncd retry PAIR` after an upgrade.",
    "ambiguous_recovery": "Say whose the comments are: `syncd recover PAIR --ours`, or"
    " `syncd release PAIR COMMENT` and `syncd retry PAIR`.",
    "by_hand": "A person parked it: `syncd retry PAIR` lets it go on.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What would be left, or None with what to do instead."""

    ignored: Ignored | None
    hint: str = ""


async def propose(
    inspection: Inspection, link: Link, *, clock: Clock, name: str | None = None
) -> Proposal:
    """What leaving `name`, or what the pair is parked for, comes to.

    `name` is as `syncd inspect` shows it: `comment:SIDE:ID`, `status:SIDE`, `note:KEY`,
    `file:KEY`, or `write:ID`, which stands for all lost writes. Asks a desk only for what that
    takes. Raises `RemoteError` leaves.
    """
    look = _Look(inspection, link, clock)
    if name is not None and name.startswith("write:") and inspection.run.sent:
        return await look.lost_writes()
    if name is not None and name.startswith("write:") and inspection.run.sent:
        return await look.lost_writes()
    if name is not None:
        return look.proposal(look.named(name), f"Nothing of pair PAIR waits by the name {name!r}.")
    pair = inspection.run.pair
    if pair.state is not PairState.PARKED:
        return look.proposal(look.refused_status(), "It is not parked: name what is to be left.")
    if inspection.stop is not None:
        hint = f"Its whole link is stopped: `syncd parked --link {link.name}` says why."
        return Proposal(ignored=None, hint=hint)
    if inspection.run.sent:
        return await look.lost_writes()
    return await look.parked(pair.reason)


class _Look:
    """One pair, and what it owes as far as its mirror and its desks tell."""

    def __init__(self, inspection: Inspection, link: Link, clock: Clock) -> None:
        self._inspection = inspection
        self._run = inspection.run
        self._link = link
        self._clock = clock
        self._work = Work(inspection.run, link, is_quiet=False)

    def proposal(
        self, left: Left | None, otherwise: str, op_ids: tuple[OpId, ...] = ()
    ) -> Proposal:
        if left is None or not left.what:
            return Proposal(ignored=None, hint=otherwise)
        revision = self._run.pair.revision
        return Proposal(
            ignored=Ignored(revision=revision, base=left.base, op_ids=op_ids, what=left.what)
        )

    # --- by name ---------------------------------------------------------------------------------

    def named(self, name: str) -> Left | None:
        word, _, rest = name.partition(":")
        base = self._run.base
        if word == "comment":
            return self._comment(rest)
        if word == "status" and rest in set(Side):
            return self._status(Side(rest))
        if word == "note":
            found = [note for note in base.owed if note.key == rest]
            return leave_note(base, found[0].side, rest) if found else None
        if name in {file_key(row) for row in owed_files(base)}:
            return leave_file(base, name)
        return None

    def _comment(self, rest: str) -> Left | None:
        word, _, comment_id = rest.partition(":")
        if word not in set(Side):
            return None
        side = Side(word)
        snapshot = self._work.snapshots.get(side)
        waiting = news(self._run.base, side, snapshot) if snapshot else ()
        for comment in waiting:
            if comment.comment_id == comment_id:
                return leave_comment(self._run.base, side, CommentId(comment_id), comment.audience)
        return None

    def _status(self, side: Side) -> Left | None:
        status, statuses = self._run.base.status, self._link.policy.statuses
        if status is None or owed_status(status, side, statuses) is None:
            return None
        return leave_status(self._run.base, side)

    def refused_status(self) -> Left | None:
        """The statuses that desks would not take, of a pair that goes on."""
        status = self._run.base.status
        left = Left(base=self._run.base)
        for side in sorted(status.refused if status else ()):
            left = left.and_then(leave_status(left.base, side))
        return left

    # --- by the reason of a park -----------------------------------------------------------------

    async def parked(self, reason: str) -> Proposal:
        base = self._run.base
        match reason:
            case "tag_refused":
                left = leave_lost_tags(base, self._work.snapshots, self._link.policy)
                return self.proposal(left, "No tag is owed any more: `syncd retry PAIR`.")
            case "hand_off_without_effect":
                return self.proposal(call_off(base), "")
            case "comment_without_id":
                return self.proposal(self._unnamed(base), "`syncd retry PAIR` lets it go on.")
            case Refusal.COMMENT_LIMIT.value:
                return await self._all_to(self._full_sides(), has_comment=True)
            case "platform_ticket_final":
                return await self._all_to(frozenset({Side.PLATFORM}))
            case Refusal.OTHER.value | Refusal.STATUS.value | Refusal.SUSPENDED.value:
                return await self._one_write()
            case _:
                pass
        if reason in _AFTERWARDS:
            return self.proposal(Left(base=base, what=(f"what it parked for, {reason}",)), "")
        return Proposal(ignored=None, hint=_MEND.get(reason, _RESTORE))

    def _unnamed(self, base: Base) -> Left | None:
        """The comment whose copy the desk took without naming it: it counts as delivered."""
        done = [row for row in self._inspection.journal if row.state == "done"]
        if not done:
            return None
        side, key = done[0].side, self._work.pair_key
        snapshot = self._work.snapshots.get(side.other)
        for comment in news(base, side.other, snapshot) if snapshot else ():
            if copy_op(key, side, comment.comment_id) == done[0].op_id:
                return leave_comment(base, side.other, comment.comment_id, comment.audience)
        return None

    def _full_sides(self) -> frozenset[Side]:
        return frozenset(
            side
            for side, snapshot in self._work.snapshots.items()
            if (limit := self._link.capabilities[side].max_comments) is not None
            and len(snapshot.comments) - snapshot.earlier_count >= limit
        )

    async def _all_to(self, sides: frozenset[Side], *, has_comment: bool = False) -> Proposal:
        """All that sides are owed that can take no more of it."""
        await self._planned()
        found = [
            operation
            for operation in self._owed()
            if operation.side in sides and (not has_comment or _has_comment(operation))
        ]
        left: Left | None = Left(base=self._run.base)
        for operation in found:
            more = leave_operation(left.base, operation, self._link.policy) if left else None
            left = left.and_then(more) if left and more else None
        return self.proposal(left, "Nothing is owed any more: `syncd retry PAIR`.")

    async def _one_write(self) -> Proposal:
        """The write that the desk refused, and nothing of those behind it."""
        decided = await self._planned()
        row = next(iter(self._inspection.journal), None)
        if row is None or row.state != "dropped":
            return Proposal(ignored=None, hint="No write stands in its way: `syncd retry PAIR`.")
        same = [op for op in decided.operations if op.op_id == row.op_id]
        # Fields alone have another name whenever the ticket has moved.
        fields = [op for op in decided.operations if op.side is row.side and not _has_comment(op)]
        operation = next(iter([*same, *fields]), None)
        if operation is None:
            hint = "What the desk refused is owed no more: `syncd retry PAIR`."
            return Proposal(ignored=None, hint=hint)
        if isinstance(operation, CreateTicket):
            return Proposal(ignored=None, hint=f"A ticket that is to be made: {_UNLINK}")
        # Not the base that this plan would lead to: what it decides is on record with a run alone.
        left = leave_operation(self._run.base, operation, self._link.policy)
        return self.proposal(left, "")

    async def _planned(self) -> Plan:
        """The plan of now, with what it lacks read from the desks."""
        decided = self._work.plan(self._clock.now())
        for _ in range(_MOST_READS):
            if not decided.needs:
                break
            for need in decided.needs:
                await fetch_need(self._work, need)
            decided = self._work.plan(self._clock.now())
        return decided

    def _owed(self) -> tuple[Operation, ...]:
        """Every write that is owed, also to a ticket that takes none."""
        capabilities = {
            side: replace(each, max_comments=None) for side, each in self._link.capabilities.items()
        }
        policy, snapshots = self._link.policy, self._work.snapshots
        circumstances = self._work.circumstances(self._clock.now())
        decision = decide(
            self._work.base,
            snapshots,
            policy=policy,
            capabilities=capabilities,
            circumstances=circumstances,
        )
        writes = Writes(decision, snapshots, policy, capabilities, circumstances)
        return tuple(operation for side in Side for operation in writes.to(side))

    # --- lost writes -----------------------------------------------------------------------------

    async def lost_writes(self) -> Proposal:
        """Writes whose answer was lost and which cannot be told from others on the desk."""
        left, op_ids = Left(base=self._run.base), []
        for intent in self._run.sent:
            side = intent.op.side
            connector = self._link.connectors[side]
            try:
                finding = await connector.find(intent, shown=self._work.snapshots.get(side))
            except Gone:
                op_ids.append(intent.op.op_id)
                left = Left(base=left.base, what=(*left.what, f"a write to a {side}'s ticket"))
                continue
            if finding.fate is not Fate.AMBIGUOUS:
                hint = "What became of its write can be told by now: `syncd retry PAIR`."
                return Proposal(ignored=None, hint=hint)
            more = leave_write(left.base, intent, finding.candidates)
            if more is None:
                hint = "Delete the ticket that is too many at its desk, and `syncd retry PAIR`."
                return Proposal(ignored=None, hint=hint)
            left = left.and_then(more)
            op_ids.append(intent.op.op_id)
        return self.proposal(left, "", tuple(op_ids))


def _has_comment(operation: Operation) -> bool:
    return getattr(operation, "comment", None) is not None


__all__ = ["Proposal", "propose"]
