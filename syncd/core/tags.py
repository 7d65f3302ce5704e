"""Three-way merge of the shared tags.

Only tags that match the link's patterns are shared, compared in the narrower desk's normal form.
What a desk added by itself in answer to our write stays on its side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncd.core.agreed import TagBase
from syncd.core.capabilities import Capabilities
from syncd.core.model import Side, Ticket
from syncd.core.policy import LinkPolicy

# Zendesk keeps letters, digits, dash, underscore, colon, slash and dot; a blank makes two tags of
# one.
_NARROW = re.compile(r"[^\s,\x00-\x1f\ud800-\udfff\"'<>{}\[\]()&;]+")


_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class TagDelta:
    """What one side must still add and remove, in that side's own spelling."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


def fold(tag: str) -> str:
    """The form in which tags are compared (Zendesk stores lower case)."""
    return tag.lower()


def is_holdable(tag: str) -> bool:
    """Whether the narrowest desk can hold the tag as one tag."""
    return _NARROW.fullmatch(tag) is not None


def _own_tags(policy: LinkPolicy) -> frozenset[str]:
    return frozenset(fold(tag) for tag in (policy.ball_tag, *policy.partner_tags))


def shared_spelling(tags: Iterable[str], policy: LinkPolicy) -> frozenset[str]:
    """Those of some tags that the link shares, folded; tags without a place on the other desk left
    out.
    """
    own = _own_tags(policy)
    folded = (fold(tag) for tag in tags if is_holdable(tag))
    return frozenset(tag for tag in folded if tag not in own and policy.is_shared_tag(tag))


def shared_tags(ticket: Ticket, policy: LinkPolicy) -> frozenset[str]:
    """The tags of a ticket that the link shares, folded."""
    return shared_spelling(ticket.tags, policy)


def unheld_tags(ticket: Ticket, policy: LinkPolicy) -> frozenset[str]:
    """Shared tags of a ticket that the other desk cannot hold."""
    return frozenset(t for t in ticket.tags if not is_holdable(t) and policy.is_shared_tag(fold(t)))


def decide_tags(
    base: TagBase,
    tickets: Mapping[Side, Ticket],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
) -> TagBase:
    """The tag base after both sides' additions and removals were merged.

    A side that is seen for the first time only adds: nothing is removed because it was never there.
    """
    if not all(capability.has_tags for capability in capabilities.values()):
        return base
    added: set[str] = set()
    removed: set[str] = set()
    shown = {side: shared_tags(ticket, policy) for side, ticket in tickets.items()}
    kept = {side: base.kept.get(side, _NONE) & tags for side, tags in shown.items()}
    for side, tags in shown.items():
        before = base.seen.get(side, _NONE)
        added |= tags - kept[side] - before
        removed |= before - tags
    # A tag that one side removed while the other newly set it was wanted by somebody: it stays.
    agreed = (base.agreed - frozenset(removed)) | frozenset(added)
    # What a desk keeps for itself and a person set on the other is shared from now on.
    kept = {side: tags - agreed for side, tags in kept.items()}
    return TagBase(
        agreed=agreed,
        seen={side: tags - kept[side] for side, tags in shown.items()},
        kept=_filled(kept),
        # A repair that somebody else made is owed no longer.
        owed_add=_filled({s: _absent(base, s, ticket) for s, ticket in tickets.items()}),
        owed_remove=_filled(
            {s: base.owed_remove.get(s, _NONE) & t.tags for s, t in tickets.items()}
        ),
    )


def _absent(base: TagBase, side: Side, ticket: Ticket) -> frozenset[str]:
    """Tags of a side's own that are to be put back, and that it shows in no spelling."""
    present = {fold(tag) for tag in ticket.tags}
    return frozenset(t for t in base.owed_add.get(side, _NONE) if fold(t) not in present)


def _filled(tags: Mapping[Side, frozenset[str]]) -> dict[Side, frozenset[str]]:
    return {side: held for side, held in tags.items() if held}


def owed_tags(base: TagBase, side: Side, ticket: Ticket) -> TagDelta:
    """What `side` must still add and remove to hold the agreed tags and its own repaired ones."""
    now = base.seen.get(side, _NONE)
    present = frozenset(fold(tag) for tag in ticket.tags)
    add = (base.agreed - now - present) | _absent(base, side, ticket)
    gone = now - base.agreed
    # A desk that tells upper from lower case may hold one tag in two spellings.
    remove = frozenset(tag for tag in ticket.tags if fold(tag) in gone) | (
        base.owed_remove.get(side, _NONE) & ticket.tags
    )
    return TagDelta(add=add, remove=remove)
