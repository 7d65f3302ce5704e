"""The figures by which a running syncd is watched: values for metrics, status and judgement.

They hold names of links and connections, counts and moments; never a ticket's id or a word of it.
Moments are by our own clock, and aware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.core.ends import PASSING_REASONS
from syncd.core.model import ConnectionName, LinkName, Side

#: Every reason for which a pair parks. What is none of them is shown as `OTHER`.
PARK_REASONS = frozenset(
    {
        *PASSING_REASONS,
        *("ambiguous_recovery", "ambiguous_write", "bug", "by_hand", "comment_limit"),
        *("comment_not_public", "comment_without_id", "hand_off_without_effect", "loop"),
        *("partner_follow_up", "partner_set_back", "partner_ticket_merged"),
        *("platform_set_back", "platform_ticket_final"),
        *("platform_ticket_merged", "refused", "status_refused", "tag_refused"),
        *("unintelligible", "unmapped_status", "user_suspended", "visibility_unknown"),
    }
)
#: Those for which a whole link stops.
STOP_REASONS = frozenset({"leak", "mass_change"})
OTHER = "other"


class ConnectionState(StrEnum):
    """What is known of a connection from its last answer."""

    UNTRIED = "untried"
    UP = "up"
    DOWN = "down"
    UNAUTHORISED = "unauthorised"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkFigures:
    """How one link is doing, as the store knows it."""

    link: LinkName
    #: By state: active, parked, ended.
    pairs: Mapping[str, int] = field(default_factory=dict)
    #: Active pairs with changes that are not delivered.
    waiting: int = 0
    #: When the oldest of these was seen; None when all is delivered.
    waiting_since: datetime | None = None
    #: The same for what one side is owed. Where both sides have news, the older one counts for
    #: both; what nobody knows the origin of counts for the link alone.
    owed_since: Mapping[Side, datetime] = field(default_factory=dict)
    #: Writes in the journal whose answer is not recorded, and when the oldest of them left.
    sent: int = 0
    sent_since: datetime | None = None
    #: Parked pairs by the reason on their row.
    parked: Mapping[str, int] = field(default_factory=dict)
    conflicts: int = 0
    #: Pairs that go on, by who must act next.
    balls: Mapping[str, int] = field(default_factory=dict)
    #: Hand-offs on record, by the state that they came into.
    hand_offs: Mapping[str, int] = field(default_factory=dict)
    #: Hand-offs that the platform has not confirmed, and when the oldest of them was offered.
    unconfirmed: int = 0
    unconfirmed_since: datetime | None = None
    #: Why syncd stopped the whole link; empty while it runs.
    stopped_because: str = ""
    #: A person paused it.
    is_paused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFigures:
    """How one connection is doing, as the daemon knows it."""

    connection: ConnectionName
    state: ConnectionState = ConnectionState.UNTRIED
    #: When it came into that state.
    since: datetime | None = None
    #: When its feed was last read to its end; None before the first time since the start.
    polled_at: datetime | None = None
    #: The longest pause that the file allows between two polls.
    poll_seconds: float = 0.0
    #: `sound`, `broken` or `unseen`; empty where no webhook is looked after.
    webhook_state: str = ""
    webhook_faults: tuple[str, ...] = ()
    #: Changes that polling found and no webhook announced, since the start.
    missed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonFigures:
    """How the process itself is doing."""

    #: It listens, and every feed was looked at or failed to answer.
    has_begun: bool
    #: It was told to end.
    is_stopping: bool = False
    #: What stands still in the engine, in a few words; empty while all goes on.
    standstill: str = ""
    #: The store answered when it was last asked.
    is_store_well: bool = True
