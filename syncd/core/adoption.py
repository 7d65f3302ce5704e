"""Recognise our own writes by their stamps, whatever the comment map has forgotten.

Nothing that carries this link's stamp is ever news. What it copied, or which note it is, is worked
out from the operation that the stamp names; where even that is lost, it counts as a note of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from syncd.core.agreed import Base, Known
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import file_key, luggage
from syncd.core.comment_map import take_written
from syncd.core.draft import digest_key, draft_copy
from syncd.core.file_map import brought, named, owed_files, take_files
from syncd.core.model import Audience, Comment, CommentId, LinkName, OpId, Side, Snapshot
from syncd.core.opening import opening
from syncd.core.operations import Draft, DraftFile, copy_op, create_op, note_op
from syncd.core.policy import LinkPolicy
from syncd.core.stamp import read_stamp
from syncd.core.thread import audience_for, known_ids, news

# The key of a note whose name is lost; the operation still tells it from others.
_NAMELESS = "stamp:"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stamped:
    comment: Comment
    op_id: OpId


def adopt(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    pair_key: str,
) -> Base:
    """The base with every stamped comment explained; a side without a snapshot is left out."""
    for target, snapshot in snapshots.items():
        stamped = _unexplained(base, target, snapshot, policy.link)
        if not stamped:
            continue
        other = snapshots.get(target.other)
        lost = news(base, target.other, other) if other is not None else ()
        url = other.ticket.url if other is not None else ""
        look = _Look(target, lost, policy, capabilities[target], pair_key, url=url)
        base = look.explain(base, stamped)
    return base


def name_notes(base: Base, pair_key: str) -> Base:
    """The base without owed notes that a stamp shows to be written already."""
    nameless = {
        mapping.note_key
        for mapping in base.comments
        if mapping.note_key is not None and mapping.note_key.startswith(_NAMELESS)
    }
    if not nameless:
        return base
    names = {f"{_NAMELESS}{note_op(pair_key, owed.side, owed.key)}": owed.key for owed in base.owed}
    late = {(row.origin.other, file_key(row)) for row in owed_files(base)}
    names |= {f"{_NAMELESS}{note_op(pair_key, side, key)}": key for side, key in late}
    written = {key for name, key in names.items() if name in nameless}
    return replace(
        named(base, frozenset(written)),
        owed=tuple(owed for owed in base.owed if owed.key not in written),
        comments=tuple(
            replace(mapping, note_key=names.get(mapping.note_key or "", mapping.note_key))
            if mapping.kind is Known.NOTE
            else mapping
            for mapping in base.comments
        ),
    )


def _unexplained(
    base: Base, target: Side, snapshot: Snapshot, link: LinkName
) -> tuple[_Stamped, ...]:
    explained = known_ids(base, target)
    return tuple(
        _Stamped(comment=comment, op_id=stamp[1])
        for comment in snapshot.comments
        if comment.comment_id not in explained
        and comment.stamp is not None
        and (stamp := read_stamp(comment.stamp)) is not None
        and stamp[0] == link
    )


class _Look:
    """What the operations on one side would have written, made anew from what they copied."""

    def __init__(
        self,
        target: Side,
        lost: Sequence[Comment],
        policy: LinkPolicy,
        capabilities: Capabilities,
        pair_key: str,
        *,
        url: str,
    ) -> None:
        self._target = target
        self._url = url
        self._lost = lost
        self._policy = policy
        self._capabilities = capabilities
        self._pair_key = pair_key

    def explain(self, base: Base, stamped: Sequence[_Stamped]) -> Base:
        drafts = self._named(base)
        if any(found.op_id not in drafts for found in stamped):
            drafts |= self._parts()
        opening = iter(self._opening(stamped))
        create = create_op(self._pair_key, self._target)
        explained = [
            next(opening, None) if found.op_id == create else drafts.get(found.op_id)
            for found in stamped
        ]
        if None in explained:
            carried = {draft.source_id for draft in explained if draft is not None}
            digests = self._digests(carried)
            explained = [
                draft or digests.get(found.op_id)
                for found, draft in zip(stamped, explained, strict=True)
            ]
        written = [
            (self._as_stored(draft, found), found.comment.comment_id)
            for found, draft in zip(stamped, explained, strict=True)
        ]
        shown = {found.comment.comment_id: found.comment for found in stamped}
        base = take_written(base, self._target, written)
        return take_files(base, self._target, written, shown)

    def _as_stored(self, draft: Draft | None, found: _Stamped) -> Draft:
        known = draft or _trace(key=f"{_NAMELESS}{found.op_id}")
        source = next((c for c in self._lost if c.comment_id == known.source_id), None)
        files: tuple[DraftFile, ...] = ()
        if source is not None:
            files = luggage(
                source, self._target, policy=self._policy, capabilities=self._capabilities
            ).wanted
        return replace(known, audience=found.comment.audience, files=brought(files, found.comment))

    def _named(self, base: Base) -> dict[OpId, Draft]:
        """Copies of one comment each, and owed notes."""
        copies = {copy_op(self._pair_key, self._target, c.comment_id): c for c in self._lost}
        notes = {
            note_op(self._pair_key, self._target, owed.key): owed.key
            for owed in base.owed
            if owed.side is self._target
        }
        drafts = {op: _trace(source=comment) for op, comment in copies.items()}
        return drafts | {op: _trace(key=key) for op, key in notes.items()}

    def _parts(self) -> dict[OpId, Draft]:
        """The parts of comments that are too long for one."""
        return {
            note_op(self._pair_key, self._target, draft.note_key): draft
            for comment in self._travelling()
            for draft in self._drafts(comment)
            if draft.note_key is not None
        }

    def _opening(self, stamped: Sequence[_Stamped]) -> Iterator[Draft]:
        """What the creation wrote, in order."""
        create = create_op(self._pair_key, self._target)
        operations = {found.op_id for found in stamped}
        count = sum(1 for found in stamped if found.op_id == create)
        # What was copied by itself later was not part of it.
        comments = [
            comment
            for comment in self._travelling()
            if copy_op(self._pair_key, self._target, comment.comment_id) not in operations
        ]
        if self._target is Side.PARTNER and comments:
            # A silent creation carries a note beside the history.
            yield from opening(
                comments,
                is_silent=count > 1,
                url=self._url,
                policy=self._policy,
                capabilities=self._capabilities,
            )

    def _digests(self, carried: set[CommentId | None]) -> dict[OpId, Draft]:
        """Older history in one note: it begins with the first comment that nothing else carried."""
        left = [c for c in self._travelling() if c.comment_id not in carried]
        ids = tuple(comment.comment_id for comment in left)
        keys = {
            digest_key(left[0], last, self._target): ids[: index + 1]
            for index, last in enumerate(left)
        }
        return {
            note_op(self._pair_key, self._target, key): replace(_trace(key=key), digested_ids=held)
            for key, held in keys.items()
        }

    def _travelling(self) -> list[Comment]:
        origin = self._target.other
        return [
            comment
            for comment in self._lost
            if audience_for(comment, origin, self._policy) is not Audience.LOCAL
        ]

    def _drafts(self, comment: Comment) -> tuple[Draft, ...]:
        return draft_copy(
            comment, self._target, policy=self._policy, capabilities=self._capabilities
        )


def _trace(*, source: Comment | None = None, key: str | None = None) -> Draft:
    """A draft as far as the comment map cares: what it copies, or which note it is."""
    source_id = source.comment_id if source is not None else None
    return Draft(html="", audience=Audience.SHARED, source_id=source_id, note_key=key)
