"""Tell our own comments on two desks for a store that has forgotten them.

A stamp says it where it can be read. Where it cannot, a comment by our own user is what we would
have written: a copy of a comment that seems not to have travelled, a late file, a digest, or a
note, by its text. One that is none of these may be a person's who used our account: a person says.
Nothing here is a guess about somebody else's comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from syncd.core.adoption import adopt
from syncd.core.agreed import Base, CommentMapping, Known, StatusBase
from syncd.core.birth import agree
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import follow_up
from syncd.core.draft import draft_copy, draft_digest
from syncd.core.file_map import owed_files
from syncd.core.lines import plain_text
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    OpId,
    Person,
    Side,
    Snapshot,
    Ticket,
)
from syncd.core.notes import heading_of
from syncd.core.operations import CreateTicket, Draft, copy_op, create_op, note_op
from syncd.core.policy import LinkPolicy
from syncd.core.stamp import stamp_for
from syncd.core.thread import audience_for, news, own_ids
from syncd.core.wording import NoteKind

#: The key of a note that was recognised by its first line; the rest tells it from its like.
_KIND = "kind:"
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognised:
    """The base with everything explained that is ours, and what is in doubt."""

    base: Base
    #: How many comments of ours the base did not know.
    found: int
    #: Comments by our own user that are nothing that we would have written.
    doubtful: tuple[tuple[Side, CommentId], ...] = ()


def recognise(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    pair_key: str,
    writers: Mapping[Side, frozenset[str]],
    is_ours: bool = False,
) -> Recognised:
    """Explain every comment of ours; both threads are known to their ends.

    `writers` are ids under which we have written on other tickets of each side's desk.

    With `is_ours` a person has said that what is in doubt was written by syncd.
    """
    known = base.comments

    def adopted(base: Base, shown: Mapping[Side, Snapshot]) -> Base:
        return adopt(base, shown, policy=policy, capabilities=capabilities, pair_key=pair_key)

    base = adopted(base, snapshots)
    doubtful: list[tuple[Side, CommentId]] = []
    for side, snapshot in snapshots.items():
        other = snapshots.get(side.other)
        look = _Look(
            side,
            snapshot,
            other,
            policy=policy,
            capabilities=capabilities[side],
            pair_key=pair_key,
            writers=writers.get(side, frozenset()),
        )
        # What a digest held, and which files are owed, is known when the copies are.
        for drafts in (look.copies, look.digests, look.late_files):
            stamped = look.stamped(base, drafts(base))
            base = adopted(base, {**snapshots, side: stamped})
        base, left = look.name_notes(base, is_ours=is_ours)
        # One that a person has released is a person's.
        doubtful += [(side, one) for one in left if one not in base.released]
    base = _with_redactions(base, known, snapshots, policy, capabilities)
    return Recognised(base=base, found=len(base.comments) - len(known), doubtful=tuple(doubtful))


def _with_redactions(
    base: Base,
    known: Sequence[CommentMapping],
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
) -> Base:
    """The base in which a copy that says no more than its redacted original needs no word."""
    shown = {(side, c.comment_id): c for side in snapshots for c in snapshots[side].comments}
    before = set(known)

    def says_no_more(mapping: CommentMapping) -> bool:
        target = mapping.origin.other
        original = shown.get((mapping.origin, mapping.comment_id))
        copy = shown.get((target, mapping.copy_id or CommentId("")))
        if mapping in before or original is None or copy is None or not original.is_redacted:
            return False
        drafts = draft_copy(original, target, policy=policy, capabilities=capabilities[target])
        return any(_is_it(copy, draft) for draft in drafts)

    return replace(
        base,
        comments=tuple(
            replace(mapping, is_redacted=True) if says_no_more(mapping) else mapping
            for mapping in base.comments
        ),
    )


def take_kinds(base: Base, owed: Base) -> Base:
    """The base with notes named that `owed` would write again, though their like stands there."""
    nameless = {
        (mapping.origin, kind): mapping.comment_id
        for mapping in reversed(base.comments)
        if (kind := kind_in(mapping)) is not None
    }
    names = {}
    for note in owed.owed:
        comment_id = nameless.get((note.side, note.kind))
        if comment_id is not None and (note.side, comment_id) not in names:
            names[note.side, comment_id] = note.key
    return replace(
        base,
        owed=tuple(note for note in base.owed if note.key not in names.values()),
        comments=tuple(
            replace(mapping, note_key=names.get((mapping.origin, mapping.comment_id)))
            if kind_in(mapping) is not None and (mapping.origin, mapping.comment_id) in names
            else mapping
            for mapping in base.comments
        ),
    )


def take_twin(base: Base, platform: Ticket, policy: LinkPolicy) -> Base:
    """The base of a pair whose twin a forgotten birth made: as if it had just been born.

    Tags are met anew, so that nothing is removed for not being there.
    """
    base, status = agree(base, platform, policy)
    born = policy.statuses.raw(Side.PARTNER, status.agreed)
    seen = {**status.seen, Side.PARTNER: born}
    return replace(base, status=replace(status, seen=seen))


def lookup(external_id: str, requester: Person) -> CreateTicket:
    """A creation that says nothing: by its external id, what it made can be found."""
    return CreateTicket(
        op_id=create_op(external_id, Side.PARTNER),
        side=Side.PARTNER,
        external_id=external_id,
        subject="",
        status="",
        tags=frozenset(),
        requester=requester,
        comments=(),
    )


def follow_our_status(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    writers: Mapping[Side, frozenset[str]],
) -> Base:
    """The base with the status that we wrote last: on that side nobody has changed it since.

    Without this a status that we have carried already would look like somebody's wish.
    """
    for side, snapshot in snapshots.items():
        update, status = snapshot.ticket.status_update, snapshot.ticket.status
        agreed = policy.statuses.meaning(side, status)
        other = snapshots.get(side.other)
        if update is None or update.status != status or agreed is None or other is None:
            continue
        ours = writers.get(side, frozenset()) | _writers_of(base, side, snapshot)
        if update.actor_id not in ours or base.status is None:
            continue
        there = other.ticket.status
        if policy.statuses.meaning(side.other, there) is not agreed:
            there = policy.statuses.raw(side.other, agreed)
        seen = {side: status, side.other: there}
        return replace(base, status=StatusBase(agreed=agreed, seen=seen, by=side.other))
    return base


def _writers_of(base: Base, side: Side, snapshot: Snapshot) -> frozenset[str]:
    """Under which ids we have written on a ticket: those of the comments that are known as ours.

    The partner's first ticket is ours in any case, and so is its first comment.
    """
    ours = own_ids(base, side)
    found = {c.writer_id for c in snapshot.comments if c.comment_id in ours}
    if side is Side.PARTNER and snapshot.comments:
        found.add(snapshot.comments[0].writer_id)
    return frozenset(writer for writer in found if writer)


class _Look:
    """The comments of ours on one side, and what they may be."""

    def __init__(
        self,
        side: Side,
        snapshot: Snapshot,
        other: Snapshot | None,
        *,
        policy: LinkPolicy,
        capabilities: Capabilities,
        pair_key: str,
        writers: frozenset[str],
    ) -> None:
        self._writers = writers
        self._side = side
        self._snapshot = snapshot
        self._other = other
        self._policy = policy
        self._capabilities = capabilities
        self._pair_key = pair_key

    def copies(self, base: Base) -> Iterator[tuple[OpId, Draft]]:
        """What we would have written of the comments that seem not to have travelled."""
        for comment in self._travelling(base):
            for draft in draft_copy(
                comment, self._side, policy=self._policy, capabilities=self._capabilities
            ):
                yield self._op_of(draft), draft

    def digests(self, base: Base) -> Iterator[tuple[OpId, Draft]]:
        """Older history in one note: it begins with the first comment that nothing else carried."""
        travelling = self._travelling(base)
        for count in range(1, len(travelling) + 1):
            digest = draft_digest(
                tuple(travelling[:count]),
                self._side,
                url=self._other.ticket.url if self._other else "",
                policy=self._policy,
                capabilities=self._capabilities,
            )
            yield self._op_of(digest), digest

    def late_files(self, base: Base) -> Iterator[tuple[OpId, Draft]]:
        """The comments by which owed files would follow."""
        sources = {c.comment_id: c for c in self._other.comments} if self._other else {}
        for row in owed_files(base):
            if row.origin is not self._side:
                draft = follow_up(
                    row,
                    sources.get(row.comment_id),
                    policy=self._policy,
                    capabilities=self._capabilities,
                    is_late=False,
                )
                yield self._op_of(draft), draft

    def stamped(self, base: Base, drafts: Iterable[tuple[OpId, Draft]]) -> Snapshot:
        """The snapshot with the stamps that our comments on it would show if they could."""
        ours = self._ours(base)
        if not ours:
            return self._snapshot
        made = list(drafts)
        stamps = {}
        for comment in ours:
            found = next((one for one in made if _is_it(comment, one[1])), None)
            if found is not None:
                made.remove(found)
                stamps[comment.comment_id] = stamp_for(self._policy.link, found[0])
        return replace(
            self._snapshot,
            comments=tuple(
                replace(comment, stamp=stamps.get(comment.comment_id, comment.stamp))
                for comment in self._snapshot.comments
            ),
        )

    def name_notes(self, base: Base, *, is_ours: bool) -> tuple[Base, list[CommentId]]:
        """The base with our notes in it, and what nobody can tell."""
        mappings: list[CommentMapping] = []
        left: list[CommentId] = []
        for comment in self._ours(base):
            kind = None if comment.audience is Audience.PUBLIC else self._kind_of(comment)
            if kind is None and not is_ours:
                left.append(comment.comment_id)
                continue
            word = "ours" if kind is None else kind.value
            mappings.append(
                CommentMapping(
                    kind=Known.NOTE,
                    origin=self._side,
                    comment_id=comment.comment_id,
                    audience=comment.audience,
                    note_key=f"{_KIND}{word}:{comment.comment_id}",
                )
            )
        return replace(base, comments=(*base.comments, *mappings)), left

    def _ours(self, base: Base) -> list[Comment]:
        """Unexplained comments by our own user whose stamp cannot be read."""
        own = self._writers | _writers_of(base, self._side, self._snapshot)
        return [
            comment
            for comment in news(base, self._side, self._snapshot)
            if comment.stamp is None
            and comment.writer_id in own
            and comment.comment_id not in base.released
        ]

    def _travelling(self, base: Base) -> Sequence[Comment]:
        if self._other is None:
            return ()
        origin = self._side.other
        return [
            comment
            for comment in news(base, origin, self._other)
            if audience_for(comment, origin, self._policy) is not Audience.LOCAL
        ]

    def _op_of(self, draft: Draft) -> OpId:
        if draft.source_id is not None:
            return copy_op(self._pair_key, self._side, draft.source_id)
        return note_op(self._pair_key, self._side, draft.note_key or "")

    def _kind_of(self, comment: Comment) -> NoteKind | None:
        said = _letters(comment.html or "")
        for kind in NoteKind:
            heading = heading_of(kind, self._policy.language, self._policy.wording)
            parts = [re.escape(_SIGNS.sub("", part)) for part in heading]
            if kind is not NoteKind.DIGEST and re.match(".{0,200}?".join(parts), said):
                return kind
        return None


def _is_it(comment: Comment, draft: Draft) -> bool:
    """Whether a comment says what a draft says, for no more people."""
    if comment.audience is Audience.PUBLIC and draft.audience is not Audience.PUBLIC:
        return False
    said = _letters(comment.html or "")
    bare = draft.html.removeprefix(draft.attribution)
    for written in map(_letters, (draft.html, bare)):
        # Whoever sent it added a line for each file that did not come along.
        if said == written or (draft.files and written and said.startswith(written)):
            return True
    return False


def _letters(html: str) -> str:
    """What all forms of one comment share, however a desk rewrote it: letters and digits."""
    return _SIGNS.sub("", plain_text(html))


def kind_in(mapping: CommentMapping) -> str | None:
    """Which kind of note was recognised by its first line alone; None for any other comment."""
    key = mapping.note_key or ""
    if mapping.kind is not Known.NOTE or not key.startswith(_KIND):
        return None
    return key.split(":")[1]
