"""A link's rules as values: what is shared, how statuses translate, who wins.

Built from the YAML by `config`; read by the plan. Total by construction: a status map that leaves
a value open is refused when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from syncd.core.model import Comment, ConnectionName, LinkName, Role, Side, Status


class StatusRule(StrEnum):
    """Who wins when both sides changed the status."""

    MORE_OPEN = "more_open"
    PLATFORM = "platform"
    PARTNER = "partner"


class Direction(StrEnum):
    """Which way comments of one kind travel."""

    BOTH = "both"
    TO_PARTNER = "to_partner"
    TO_PLATFORM = "to_platform"
    NONE = "none"

    def allows(self, target: Side) -> bool:
        """Whether a comment may travel to `target`."""
        if self is Direction.BOTH:
            return True
        wanted = Direction.TO_PARTNER if target is Side.PARTNER else Direction.TO_PLATFORM
        return self is wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentRules:
    """Which files travel. A pattern with a slash is of types, any other of names."""

    direction: Direction = Direction.BOTH
    max_bytes: int = 50_000_000
    #: Nothing but these, if there are any.
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    #: Files travel before their desk has looked for malware in them, or where it could not.
    carries_unscanned: bool = False
    #: How long a file that cannot be carried is tried again.
    patience: timedelta = timedelta(days=1)

    def takes(self, name: str, content_type: str) -> bool:
        """Whether a file of that name and type may travel."""
        if any(_is_like(pattern, name, content_type) for pattern in self.deny):
            return False
        return not self.allow or any(
            _is_like(pattern, name, content_type) for pattern in self.allow
        )


def _is_like(pattern: str, name: str, content_type: str) -> bool:
    told = content_type if "/" in pattern else name
    return fnmatchcase(told.casefold(), pattern.casefold())


@dataclass(frozen=True, kw_only=True, slots=True)
class MassRule:
    """How many drastic changes by one side at once stop a link until a person confirms them."""

    #: So many always pass.
    least: int = 10
    #: More than these never do.
    most: int = 100
    #: Of the link's open pairs; between the two.
    share: float = 0.5
    #: By the desk's own clock.
    within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusMap:
    """Raw values to canonical ones and back, per side.

    `means[side]` is total over the values that the side's desk can show.
    `writes[side]` names, for each canonical status, the raw value to write.
    """

    means: Mapping[Side, Mapping[str, Status]]
    writes: Mapping[Side, Mapping[Status, str]]

    def meaning(self, side: Side, raw: str) -> Status | None:
        """The canonical status, or None for a value that the map does not know (the pair parks)."""
        return self.means[side].get(raw)

    def raw(self, side: Side, status: Status) -> str:
        return self.writes[side][status]


#: The map of design: platform Open/With customer/Closed against Zendesk's six values.
HEROKU_STATUSES = StatusMap(
    means={
        Side.PLATFORM: {
            "Open": Status.OPEN,
            "With customer": Status.WITH_CUSTOMER,
            "Closed": Status.CLOSED,
        },
        Side.PARTNER: {
            "new": Status.OPEN,
            "open": Status.OPEN,
            "hold": Status.OPEN,
            "pending": Status.WITH_CUSTOMER,
            "solved": Status.CLOSED,
            "closed": Status.CLOSED,
        },
    },
    writes={
        Side.PLATFORM: {
            Status.OPEN: "Open",
            Status.WITH_CUSTOMER: "With customer",
            Status.CLOSED: "Closed",
        },
        Side.PARTNER: {
            Status.OPEN: "open",
            Status.WITH_CUSTOMER: "pending",
            Status.CLOSED: "solved",
        },
    },
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldRule:
    """How one field of the partner's new ticket follows from the platform's metadata."""

    #: `priority`, `type`, or a custom field's title or id.
    name: str
    #: The key of the metadata.
    source: str
    #: The field's value for each value of the metadata; empty takes the metadata as it is.
    values: Mapping[str, str] = field(default_factory=dict)
    #: For metadata that is missing or not among `values`; None leaves the field alone.
    default: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkPolicy:
    """Everything a plan must know about a link."""

    link: LinkName
    #: The partner's view on the platform; a ticket in it is the partner's to answer.
    view: str
    connections: Mapping[Side, ConnectionName] = field(
        default_factory=lambda: {
            Side.PLATFORM: ConnectionName("platform"),
            Side.PARTNER: ConnectionName("partner"),
        }
    )
    statuses: StatusMap = field(default_factory=lambda: HEROKU_STATUSES)
    #: Shell patterns of the tags that are shared; none by default.
    share_tags: tuple[str, ...] = ()
    #: Where the partner's new tickets go: group, brand, form, assignee, by the names people know.
    placement: tuple[tuple[str, str], ...] = ()
    #: What the platform's metadata fills in on the partner's new tickets.
    fields: tuple[FieldRule, ...] = ()
    #: Put on the partner's ticket at birth; never shared.
    partner_tags: tuple[str, ...] = ()
    public: Direction = Direction.BOTH
    private: Direction = Direction.BOTH
    local_marker: str = "#local"
    attachments: AttachmentRules = field(default_factory=AttachmentRules)
    hand_off_phrases: tuple[str, ...] = ("Reassign to Heroku", "Heroku に再割り当て")
    hand_off_roles: frozenset[Role] = frozenset({Role.AGENT, Role.ADMIN})
    #: How long the platform may take to confirm a hand-off before the partner is told.
    confirm_minutes: int = 15
    status_rule: StatusRule = StatusRule.MORE_OPEN
    has_close_guard: bool = True
    language: str = "en"
    #: Note wording of the link's own, by note kind.
    wording: Mapping[str, str] = field(default_factory=dict)
    #: How agents call the platform and the partner in notes.
    platform_name: str = "Heroku"
    partner_name: str = "the partner"
    #: The one tag by which the partner's desk shows that the ball is with the platform.
    ball_tag: str = "with-platform"
    #: Metadata to show in the context note, in order, as (key, label); empty shows all.
    context: tuple[tuple[str, str], ...] = ()
    #: Births only when each key's metadata is among the values.
    metadata_filter: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: How many earlier comments follow one by one at birth; older ones go as one private digest.
    history_limit: int = 25
    #: So many hops in an hour to each side of a pair are a loop's.
    loop_limit: int = 30
    mass_rule: MassRule = field(default_factory=MassRule)
    #: Views of other links: escalation into one of them while out of ours ends this pair.
    other_views: frozenset[str] = frozenset()

    def is_shared_tag(self, tag: str) -> bool:
        """Whether a folded tag matches one of the link's patterns, in any case."""
        return any(fnmatchcase(tag, pattern.lower()) for pattern in self.share_tags)

    def wants(self, metadata: Mapping[str, str]) -> bool:
        """Whether a ticket with this metadata may be born as a pair."""
        return all(metadata.get(key) in values for key, values in self.metadata_filter.items())

    def may_hand_off(self, comment: Comment) -> bool:
        return comment.author.role in self.hand_off_roles
