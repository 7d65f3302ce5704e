"""Compare a ticket's two copies field by field, by rules of its own.

Knows nothing of how the daemon decides: only which fields both desks have, what equals what, and
what is meant to stay on one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import zip_longest

from syncd.cli.demo.snapshot import Comment, Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """What the two desks agreed to share; the demo's configuration says the same in YAML."""

    view: str
    #: Each platform status with the partner's statuses that equal it.
    statuses: Mapping[str, frozenset[str]]
    tag_patterns: tuple[str, ...]
    #: On the partner's ticket while the platform's staff own it.
    ball_tag: str
    local_marker: str
    #: The platform's own words for the story's, where they differ.
    words: Mapping[str, str] = field(default_factory=dict)

    def status(self, word: str) -> str:
        """The platform's own word for a status of the story."""
        return self.words.get(word, word)

    def shared_tags(self, snapshot: Snapshot) -> frozenset[str]:
        """Those of a ticket's tags that both copies must have."""
        return frozenset(
            tag.lower()
            for tag in snapshot.tags
            if any(fnmatchcase(tag.lower(), pattern) for pattern in self.tag_patterns)
        )

    def shared_comments(self, snapshot: Snapshot) -> tuple[Comment, ...]:
        """Those of a ticket's comments that both copies must have; the daemon's own notes not."""
        return tuple(
            comment
            for comment in snapshot.comments
            if comment.origin != "note" and self.is_shared(comment)
        )

    def is_shared(self, comment: Comment) -> bool:
        """Whether people of both companies may read a comment."""
        if comment.text.startswith(self.local_marker):
            return False
        return comment.is_public or comment.views is None or self.view in comment.views


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One field as both desks show it."""

    field: str
    platform: str
    partner: str
    is_equal: bool


def compare(platform: Snapshot, partner: Snapshot, agreement: Agreement) -> tuple[Row, ...]:
    """Every shared field of a ticket's two copies, equal or not."""
    rows = [
        _plain("subject", platform.subject, partner.subject),
        _plain("requester", platform.requester, partner.requester),
        Row(
            field="status",
            platform=platform.status,
            partner=partner.status,
            is_equal=partner.status in agreement.statuses.get(platform.status, ()),
        ),
        _plain(
            "shared tags",
            _words(agreement.shared_tags(platform)),
            _words(agreement.shared_tags(partner)),
        ),
        _ball(platform, partner, agreement),
    ]
    return (*rows, *_comments(platform, partner, agreement))


def _plain(field: str, platform: str, partner: str) -> Row:
    return Row(field=field, platform=platform, partner=partner, is_equal=platform == partner)


def _words(tags: Iterable[str]) -> str:
    return " ".join(sorted(tags)) or "none"


def _ball(platform: Snapshot, partner: Snapshot, agreement: Agreement) -> Row:
    is_partners = agreement.view in platform.views
    is_away = agreement.ball_tag in partner.tags
    return Row(
        field="with",
        platform="the partner" if is_partners else "the platform's staff",
        partner="the platform's staff" if is_away else "the partner",
        is_equal=is_partners is not is_away,
    )


def _comments(platform: Snapshot, partner: Snapshot, agreement: Agreement) -> list[Row]:
    """Comment by comment in each direction, because only there an order is promised."""
    left, right = agreement.shared_comments(platform), agreement.shared_comments(partner)
    rows: list[tuple[Comment, Row]] = []
    for origin, copy in (("person", "copy"), ("copy", "person")):
        there = [comment for comment in left if comment.origin == origin]
        here = [comment for comment in right if comment.origin == copy]
        for one, other in zip_longest(there, here):
            known = one or other
            if known is not None:
                rows.append((known, _comment_row(one, other)))
    rows.sort(key=lambda row: row[0].written_at)
    return [row for _, row in rows]


def _comment_row(platform: Comment | None, partner: Comment | None) -> Row:
    known = platform or partner
    return Row(
        field=f"comment by {known.author}" if known else "comment",
        platform=_shown(platform),
        partner=_shown(partner),
        is_equal=platform is not None
        and partner is not None
        and _essence(platform) == _essence(partner),
    )


def _shown(comment: Comment | None) -> str:
    if comment is None:
        return "missing"
    audience = "public" if comment.is_public else "private"
    return f"{comment.written_at:%H:%M} {audience}: {comment.text}"


def _essence(comment: Comment) -> tuple[object, ...]:
    # Copies tell the time to the minute.
    minute = comment.written_at.replace(second=0, microsecond=0)
    return (comment.author, minute, comment.is_public, comment.text)
