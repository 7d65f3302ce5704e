"""Arbitrary tickets, threads and bases for Hypothesis, hostile text and all.

What desks show is anything; what was agreed came through the rules, and is what they can leave.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from syncd.core.agreed import (
    Base,
    CommentMapping,
    HandOff,
    HandOffState,
    Known,
    OwedNote,
    RefusedStatus,
    StatusBase,
    TagBase,
)
from syncd.core.decision import Circumstances
from syncd.core.model import (
    SOME_COMMENT,
    Audience,
    Comment,
    CommentId,
    Person,
    Role,
    Side,
    Snapshot,
    Stamp,
    Status,
    StatusUpdate,
    Ticket,
    UpdateId,
)
from syncd.core.notes import NoteKind
from syncd.core.operations import copy_op, create_op, note_op
from syncd.core.owing import note_key
from syncd.core.policy import HEROKU_STATUSES, Direction, StatusRule
from syncd.core.stamp import stamp_for
from tests.support.build import AT, LINK, a_snapshot, a_ticket
from tests.support.twins import PAIR_KEY, VIEW, a_policy

RAW = {side: sorted(HEROKU_STATUSES.means[side]) for side in Side}
hostile = st.one_of(
    st.sampled_from(
        [
            "",
            "<p>Reassign to Heroku</p>",
            "Reassign to Heroku?",
            "#local stays",
            "\u200b#LOCAL stays",
            "\x00null\x00",
            "\ud800 half a character",
            "<script>alert(1)</script>",
            "&#99999999999999;",
            "<p>" * 300,
            "\u202eright to left",
            "😀" * 50,
            "$phrase ${rows} %s {x}",
        ]
    ),
    st.text(st.characters(), max_size=40),
)
rarely = st.integers(0, 9).map(lambda number: number == 0)
moments = st.integers(0, 20).map(lambda seconds: AT + timedelta(seconds=seconds))
ids = st.integers(1, 8).map(lambda number: CommentId(str(number)))
roles = st.sampled_from([Role.AGENT] * 6 + list(Role))
people = st.builds(Person, person_id=st.sampled_from("abc"), name=hostile, role=roles)
keys = st.builds(note_key, st.sampled_from(NoteKind), st.sampled_from(Side), ids)
stamps = st.one_of(
    st.none(),
    st.none(),
    hostile.map(Stamp),
    st.builds(copy_op, st.just(PAIR_KEY), st.sampled_from(Side), ids).map(
        lambda op: stamp_for(LINK, op)
    ),
    st.builds(note_op, st.just(PAIR_KEY), st.sampled_from(Side), keys).map(
        lambda op: stamp_for(LINK, op)
    ),
    st.just(stamp_for(LINK, create_op(PAIR_KEY, Side.PARTNER))),
)
comments = st.builds(
    Comment,
    comment_id=ids,
    update_id=st.none() | st.sampled_from("uvw").map(UpdateId),
    author=people,
    writer_id=st.none() | st.sampled_from("abc"),
    audience=st.sampled_from(Audience),
    views=st.none() | st.frozensets(st.sampled_from([VIEW, "other"])),
    html=hostile,
    created_at=moments,
    stamp=stamps,
)
threads = st.lists(comments, max_size=6, unique_by=lambda comment: comment.comment_id).map(tuple)
tag_sets = st.frozensets(st.sampled_from(["t-a", "T-A", "t-b", "t c", "own", "\ud800", ""]))
status_updates = st.none() | st.builds(
    StatusUpdate,
    status=st.sampled_from(RAW[Side.PLATFORM] + RAW[Side.PARTNER]),
    update_id=st.none() | st.sampled_from("uvw").map(UpdateId),
    actor_id=st.none() | st.sampled_from("abc"),
    at=moments,
)


def tickets(side: Side) -> st.SearchStrategy[Ticket]:
    return st.builds(
        lambda status, tags, subject, requester, views, update: a_ticket(
            status=status,
            tags=tags,
            subject=subject,
            requester=requester,
            views=views,
            status_update=update,
        ),
        st.sampled_from(RAW[side]),
        tag_sets,
        hostile,
        people,
        st.sampled_from([{VIEW}, {VIEW}, {VIEW}, {VIEW, "other"}, {"other"}, ()])
        if side is Side.PLATFORM
        else st.just(()),
        status_updates,
    )


def snapshots(side: Side) -> st.SearchStrategy[Snapshot]:
    return st.builds(lambda ticket, thread: a_snapshot(ticket, *thread), tickets(side), threads)


def doubtful(side: Side) -> st.SearchStrategy[Snapshot]:
    """Snapshots that may ask for a read or stop the pair."""
    return st.builds(
        lambda shown, orders, flags, status, is_bodiless: replace(
            shown,
            ticket=replace(
                shown.ticket,
                fields_as_of=orders[0],
                comments_as_of=orders[1],
                is_stale=flags[0],
                hinted=frozenset({SOME_COMMENT} if flags[1] else ()),
                status=status or shown.ticket.status,
            ),
            comments=tuple(replace(c, html=None) if is_bodiless else c for c in shown.comments),
        ),
        snapshots(side),
        st.tuples(st.integers(1, 3), st.integers(0, 3)),
        st.tuples(rarely, rarely),
        st.sampled_from(["", "", "", "Escalated\x00"]),
        rarely,
    )


any_both = st.fixed_dictionaries(
    {}, optional={side: doubtful(side) | snapshots(side) for side in Side}
)
both = st.fixed_dictionaries({side: snapshots(side) for side in Side}) | st.fixed_dictionaries(
    {Side.PLATFORM: snapshots(Side.PLATFORM)}
)
mappings = st.builds(
    CommentMapping,
    kind=st.sampled_from(Known),
    origin=st.sampled_from(Side),
    comment_id=ids,
    copy_id=st.none() | ids,
    audience=st.sampled_from(Audience),
    note_key=st.none() | keys | st.just("stamp:x"),
)
hand_offs = st.builds(
    HandOff,
    state=st.sampled_from(HandOffState),
    comment_id=st.none() | ids,
    by=hostile,
    offered_at=st.none() | moments,
    is_reopened=st.booleans(),
    is_late=st.booleans(),
    is_tag_set=st.booleans(),
    turn=st.integers(0, 3),
)
owed_notes = st.builds(
    lambda side, about: OwedNote(
        key=note_key(NoteKind.CLOSE_GUARD, side, about), side=side, kind="close_guard"
    ),
    st.sampled_from(Side),
    ids,
)
refused_statuses = st.builds(
    RefusedStatus,
    status=st.sampled_from([raw for side in Side for raw in RAW[side]]),
    as_of=st.integers(0, 5),
    since=st.integers(0, 5),
    lacks=st.lists(ids, max_size=2).map(tuple),
    is_due=st.booleans(),
)
status_bases = st.builds(
    StatusBase,
    agreed=st.sampled_from(Status),
    seen=st.fixed_dictionaries(
        {side: st.sampled_from([*RAW[side] * 2, "unknown"]) for side in Side}
    )
    | st.just({}),
    by=st.none() | st.sampled_from(Side),
    is_let_be=st.booleans(),
    refused=st.dictionaries(st.sampled_from(Side), refused_statuses),
)
# What was agreed came through the rules: only tags that every desk can hold.
held_tags = st.frozensets(st.sampled_from(["t-a", "t-b", "t-z"]))
per_side = st.dictionaries(st.sampled_from(Side), held_tags)
tag_bases = st.builds(
    TagBase, agreed=held_tags, seen=per_side, kept=per_side, owed_add=per_side, owed_remove=per_side
)
bases = st.builds(
    Base,
    status=st.none() | status_bases,
    tags=tag_bases,
    comments=st.lists(mappings, max_size=3).map(tuple),
    hand_off=hand_offs,
    owed=st.lists(owed_notes, max_size=2, unique_by=lambda owed: owed.key).map(tuple),
    released=st.frozensets(ids),
)
policies = st.builds(
    replace,
    st.just(a_policy()),
    public=st.sampled_from(Direction),
    private=st.sampled_from(Direction),
    status_rule=st.sampled_from(StatusRule),
    language=st.sampled_from(["en", "de", "ja"]),
    has_close_guard=st.booleans(),
    history_limit=st.integers(0, 3),
)
situations = st.builds(
    Circumstances,
    pair_key=st.just(PAIR_KEY),
    is_silent=st.booleans(),
    is_quiet=st.booleans(),
    is_hand_off_late=st.booleans(),
    siblings=st.lists(st.sampled_from(Status), max_size=2).map(tuple),
)
