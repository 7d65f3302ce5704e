"""Mass changes: so many closes, deletions, withdrawals or lost tags from one side that it may be an
accident, and a person is asked before any of it reaches the other desk.

A script with the wrong filter, an emptied view and an export that shows everything as deleted all
look like this. Changes are counted by the desk's own time, so that what honest people did during an
outage is not taken for a wave when it is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.core.agreed import Base
from syncd.core.ends import LOST
from syncd.core.model import PairId, Side, Status, Ticket, TicketId
from syncd.core.policy import LinkPolicy, MassRule
from syncd.core.status import changed_sides, has_arrived
from syncd.core.tags import shared_tags

#: Why a link is stopped.
MASS_CHANGE = "mass_change"
#: For so long a change counts, if the link's `within` is not longer: its pair may be seen late.
_LEAST_KEPT = timedelta(days=1)


class Drastic(StrEnum):
    """What, done to many tickets at once, may be an accident."""

    CLOSED = "closed"
    DELETED = "deleted"
    #: Shared tags were taken off.
    UNTAGGED = "untagged"
    #: Taken out of the partner's view, without a hand-off.
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True, slots=True)
class DrasticChange:
    """One of these that a side shows and the base does not know of yet."""

    side: Side
    kind: Drastic
    #: Statuses, ends, tags or views as that desk calls them; no text.
    before: str
    after: str
    #: By the desk's own clock; None where it does not tell.
    at: datetime | None

    @property
    def name(self) -> tuple[Side, Drastic, str]:
        """What tells it from the pair's other changes. A loss is one, by whatever word: a ticket
        that a read found gone may be shown as deleted by the feed a minute later.
        """
        return self.side, self.kind, "" if self.kind is Drastic.DELETED else self.after


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingChange:
    """A change that would reach the other desk, were the link running."""

    pair_id: PairId
    tickets: Mapping[Side, TicketId | None]
    change: DrasticChange


def drastic_changes(
    base: Base, tickets: Mapping[Side, Ticket], policy: LinkPolicy, *, has_views: bool
) -> tuple[DrasticChange, ...]:
    """What both desks show of this that was not taken into the base; what we wrote is none.

    `has_views` says that the platform's desk tells which views a ticket is in.
    """
    found: list[DrasticChange] = []
    for side, ticket in tickets.items():
        if ticket.end in LOST:
            gone_at = None if ticket.end.value == "gone" else ticket.updated_at
            found.append(_change(side, Drastic.DELETED, "alive", ticket.end.value, gone_at))
            continue
        found += _closed(base, side, tickets, policy)
        lost = _lost_tags(base, side, ticket, policy)
        if lost:
            found.append(_change(side, Drastic.UNTAGGED, " ".join(lost), "", ticket.updated_at))
        if side is Side.PLATFORM and has_views and _is_withdrawn(base, ticket, policy):
            after = " ".join(sorted(ticket.views))
            found.append(_change(side, Drastic.WITHDRAWN, policy.view, after, ticket.updated_at))
    return tuple(found)


def _change(
    side: Side, kind: Drastic, before: str, after: str, at: datetime | None
) -> DrasticChange:
    return DrasticChange(side=side, kind=kind, before=before, after=after, at=at)


def _closed(
    base: Base, side: Side, tickets: Mapping[Side, Ticket], policy: LinkPolicy
) -> list[DrasticChange]:
    ticket, status = tickets[side], base.status
    if status is None or (side is Side.PARTNER and base.hand_off.is_away):
        return []
    if policy.statuses.meaning(side, ticket.status) is not Status.CLOSED:
        return []
    if side not in changed_sides(status, {side: ticket.status}, policy.statuses):
        return []
    if has_arrived(status, ticket.status, side, policy.statuses):
        return []
    update = ticket.status_update
    is_told = update is not None and update.status == ticket.status
    at = update.at if update is not None and is_told else ticket.updated_at
    return [_change(side, Drastic.CLOSED, status.seen[side], ticket.status, at)]


def _lost_tags(base: Base, side: Side, ticket: Ticket, policy: LinkPolicy) -> list[str]:
    had = base.tags.seen.get(side, frozenset()) & base.tags.agreed
    return sorted(had - shared_tags(ticket, policy))


def _is_withdrawn(base: Base, ticket: Ticket, policy: LinkPolicy) -> bool:
    return base.status is not None and not base.hand_off.is_away and policy.view not in ticket.views


def is_mass_change(moments: Iterable[datetime | None], *, open_pairs: int, rule: MassRule) -> bool:
    """Whether so many pairs changed within the rule's time that a person must look.

    One moment for each pair; None counts at any time. `open_pairs` includes the changed ones.
    """
    count = _densest(moments, rule.within)
    return count > rule.least and (count > rule.most or count > rule.share * open_pairs)


def _densest(moments: Iterable[datetime | None], within: timedelta) -> int:
    """How many there are at most in any stretch of that length."""
    timeless = 0
    known: list[datetime] = []
    for moment in moments:
        if moment is None:
            timeless += 1
        else:
            known.append(moment)
    known.sort()
    most = first = 0
    for last, moment in enumerate(known, start=1):
        while moment - known[first] > within:
            first += 1
        most = max(most, last - first)
    return timeless + most


def kept_for(rule: MassRule) -> timedelta:
    """How long a change that went through is remembered, by our own clock."""
    return max(rule.within, _LEAST_KEPT)


def mass_hint(link: str, side: Side, count: int) -> str:
    """What a person is told of a link that was stopped."""
    return (
        f"{count} tickets were closed, deleted, withdrawn or lost their tags at the"
        f" {side.value}'s desk at once. `syncd confirm {link}` shows them and lets them pass; was"
        " it an accident, put it right on that desk first."
    )
