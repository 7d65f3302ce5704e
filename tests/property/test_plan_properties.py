"""What no plan may ever do, whatever two desks show and whatever was agreed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.decision import Circumstances
from syncd.core.model import (
    Audience,
    Base,
    Capabilities,
    Comment,
    CommentId,
    CommentMapping,
    Conflict,
    HandOff,
    HandOffState,
    Known,
    OwedNote,
    Person,
    Role,
    Side,
    Snapshot,
    Stamp,
    Status,
    StatusBase,
    StatusUpdate,
    TagBase,
    Ticket,
    UpdateId,
)
from syncd.core.notes import NoteKind
from syncd.core.operations import Draft, Operation, UpdateTicket, copy_op, create_op, note_op
from syncd.core.owing import note_key
from syncd.core.plan import Plan, plan
from syncd.core.policy import HEROKU_STATUSES, Direction, LinkPolicy, StatusMap, StatusRule
from syncd.core.stamp import stamp_for
from tests.support.build import AT, LINK, a_comment, a_person, a_snapshot, a_ticket
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

RAW = {side: sorted(HEROKU_STATUSES.means[side]) for side in Side}
DESKS: Mapping[Side, Capabilities] = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
SECRET = "vertraulich"

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
                is_comment_hinted=flags[1],
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
status_bases = st.builds(
    StatusBase,
    agreed=st.sampled_from(Status),
    seen=st.fixed_dictionaries(
        {side: st.sampled_from([*RAW[side] * 2, "unknown"]) for side in Side}
    )
    | st.just({}),
    by=st.none() | st.sampled_from(Side),
    is_let_be=st.booleans(),
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


def planned(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
    *,
    capabilities: Mapping[Side, Capabilities] = DESKS,
) -> Plan:
    return plan(base, shown, policy=policy, capabilities=capabilities, circumstances=circumstances)


def drafts(operations: tuple[Operation, ...]) -> list[tuple[Side, Draft]]:
    found: list[tuple[Side, Draft]] = []
    for operation in operations:
        if isinstance(operation, UpdateTicket) and operation.comment is not None:
            found.append((operation.side, operation.comment))
        found.extend((operation.side, draft) for draft in getattr(operation, "comments", ()))
    return found


@given(base=bases, shown=any_both | both, policy=policies, circumstances=situations)
def test_total_a_plan_never_raises_and_can_always_be_sent(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    decided = planned(base, shown, policy, circumstances)
    for side, draft in drafts(decided.operations):
        draft.html.encode()
        (draft.author.name if draft.author else "").encode()
        assert len(draft.html.encode()) <= DESKS[side].max_body_bytes
    for operation in decided.operations:
        getattr(operation, "subject", "").encode()
        " ".join(getattr(operation, "tags", ())).encode()
        " ".join(getattr(operation, "add_tags", ())).encode()


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_deterministic_equal_inputs_give_equal_plans_and_distinct_ids(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    decided = planned(base, shown, policy, circumstances)
    again = planned(replace(base), dict(reversed(list(shown.items()))), policy, circumstances)
    assert decided == again
    op_ids = [operation.op_id for operation in decided.operations]
    assert len(op_ids) == len(set(op_ids))


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_stable_a_plan_made_again_from_its_own_base_asks_for_the_same(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    decided = planned(base, shown, policy, circumstances)
    again = planned(decided.base, shown, policy, circumstances)
    assert again.operations == decided.operations
    assert again.base == decided.base
    assert again.conflicts == ()
    assert again.stop == decided.stop


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_no_leak_a_public_draft_copies_a_public_comment_and_nothing_of_another_link_travels(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    operations = planned(base, shown, policy, circumstances).operations
    for side, draft in drafts(operations):
        other = shown[side.other].comments
        originals = {comment.comment_id: comment for comment in other}
        if draft.source_id is None:
            assert draft.audience is Audience.SHARED
            carried = [originals[comment_id] for comment_id in draft.digested_ids]
        else:
            carried = [originals[draft.source_id]]
        for comment in carried:
            assert draft.audience is not Audience.PUBLIC or comment.audience is Audience.PUBLIC
            assert comment.audience is not Audience.LOCAL
            assert not (comment.html or "").startswith("#local")
            if comment.audience is Audience.SHARED and comment.views is not None:
                assert policy.view in comment.views
        if DESKS[side].has_views and draft.audience is not Audience.PUBLIC:
            assert draft.view == policy.view


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_no_leak_the_text_of_a_comment_that_must_stay_is_in_no_draft(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    hidden = {
        side: replace(
            snapshot,
            comments=tuple(
                replace(comment, html=f"<p>{SECRET}</p>", audience=Audience.LOCAL)
                for comment in snapshot.comments
            ),
        )
        for side, snapshot in shown.items()
    }
    operations = planned(base, hidden, policy, circumstances).operations
    assert all(SECRET not in draft.html for _, draft in drafts(operations))


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_order_copies_to_one_side_stand_as_they_were_written(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    operations = planned(base, shown, policy, circumstances).operations
    for side in Side:
        copied = [
            draft.source_id
            for target, draft in drafts(operations)
            if target is side and draft.source_id is not None
        ]
        written = [comment.comment_id for comment in (shown[side.other].comments if copied else ())]
        assert copied == [comment_id for comment_id in written if comment_id in copied]


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_no_echo_nothing_that_carries_our_stamp_is_copied(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    ours = {
        side: replace(
            snapshot,
            comments=tuple(
                replace(comment, stamp=stamp_for(LINK, note_op("any", side, comment.comment_id)))
                for comment in snapshot.comments
            ),
        )
        for side, snapshot in shown.items()
    }
    operations = planned(base, ours, policy, circumstances).operations
    assert [draft for _, draft in drafts(operations) if draft.source_id is not None] == []


@given(data=st.data(), base=bases, status=st.sampled_from(Status), tags=tag_sets)
def test_quiet_two_equal_sides_ask_for_nothing_whatever_was_agreed(
    data: st.DataObject, base: Base, status: Status, tags: frozenset[str]
) -> None:
    narrow = frozenset(tag for tag in tags if tag not in {"t c", "T-A"})
    shown = {}
    before = data.draw(st.sampled_from(Status))
    seen = {}
    for side in Side:
        means = HEROKU_STATUSES.means[side]
        raw = data.draw(st.sampled_from([r for r in RAW[side] if means[r] is status]))
        seen[side] = data.draw(st.sampled_from([r for r in RAW[side] if means[r] is before]))
        views = {VIEW} if side is Side.PLATFORM else ()
        shown[side] = a_snapshot(a_ticket(status=raw, tags=narrow, views=views))
    held = base.tags.agreed
    base = Base(
        status=data.draw(st.none() | st.just(StatusBase(agreed=before, seen=seen))),
        tags=TagBase(agreed=held, seen=dict.fromkeys(Side, held)),
        comments=base.comments,
    )
    decided = planned(base, shown, a_policy(), Circumstances(pair_key=PAIR_KEY))
    assert decided.operations == ()
    assert decided.conflicts == ()


# --- symmetry ------------------------------------------------------------------------------------

SAME_WORDS = dict(HEROKU_STATUSES.means[Side.PARTNER])
SYMMETRIC = LinkPolicy(
    link=LINK,
    view=VIEW,
    statuses=StatusMap(
        means=dict.fromkeys(Side, SAME_WORDS),
        writes=dict.fromkeys(Side, HEROKU_STATUSES.writes[Side.PARTNER]),
    ),
    share_tags=("t-*",),
    hand_off_phrases=(),
    platform_name="Desk",
    partner_name="Desk",
)
EQUAL_DESKS = dict.fromkeys(Side, ZENDESK_LIKE)


@given(
    base=bases,
    shown=st.fixed_dictionaries({side: snapshots(Side.PARTNER) for side in Side}),
    rule=st.booleans(),
)
@example(
    base=Base(),
    shown={
        Side.PLATFORM: a_snapshot(a_ticket(status="open", tags={"t-a"}), a_comment("1")),
        Side.PARTNER: a_snapshot(a_ticket(status="solved", tags={"t-b"}), a_comment("2")),
    },
    rule=True,
)
def test_symmetric_swapping_the_sides_swaps_the_plan(
    base: Base, shown: dict[Side, Snapshot], rule: bool
) -> None:
    base = replace(
        base,
        hand_off=HandOff(),
        status=base.status and replace(base.status, is_let_be=False),
        comments=tuple(m for m in base.comments if m.kind is not Known.NOTE),
    )
    shown = {side: _unstamped(snapshot) for side, snapshot in shown.items()}
    circumstances = Circumstances(pair_key=PAIR_KEY)
    sided = StatusRule.PLATFORM if rule else StatusRule.MORE_OPEN
    swapped = StatusRule.PARTNER if rule else StatusRule.MORE_OPEN
    one = planned(
        base,
        shown,
        replace(SYMMETRIC, status_rule=sided),
        circumstances,
        capabilities=EQUAL_DESKS,
    )
    other = planned(
        _swapped(base),
        {side.other: snapshot for side, snapshot in shown.items()},
        replace(SYMMETRIC, status_rule=swapped),
        circumstances,
        capabilities=EQUAL_DESKS,
    )
    assert _shape(one, swap=True) == _shape(other, swap=False)


def _unstamped(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, comments=tuple(replace(c, stamp=None) for c in snapshot.comments))


def _swapped(base: Base) -> Base:
    def keyed(tags: Mapping[Side, frozenset[str]]) -> dict[Side, frozenset[str]]:
        return {side.other: held for side, held in tags.items()}

    status = base.status
    return replace(
        base,
        status=status
        and replace(
            status,
            seen={side.other: raw for side, raw in status.seen.items()},
            by=status.by and status.by.other,
        ),
        tags=TagBase(
            agreed=base.tags.agreed,
            seen=keyed(base.tags.seen),
            kept=keyed(base.tags.kept),
            owed_add=keyed(base.tags.owed_add),
            owed_remove=keyed(base.tags.owed_remove),
        ),
        comments=tuple(replace(m, origin=m.origin.other) for m in base.comments),
        owed=tuple(
            replace(o, side=o.side.other, key=note_key(NoteKind.CLOSE_GUARD, o.side.other, o.key))
            for o in base.owed
        ),
    )


def _shape(decided: Plan, *, swap: bool) -> tuple[object, ...]:
    """A plan without its ids and the words of its notes, as a set of what each side is asked."""

    def sided(side: Side) -> Side:
        return side.other if swap else side

    asked: dict[Side, list[object]] = {side: [] for side in Side}
    for operation in decided.operations:
        assert isinstance(operation, UpdateTicket)
        draft = operation.comment
        said = None
        if draft is not None:
            said = (draft.source_id, draft.audience, draft.html if draft.source_id else "")
        fields = (operation.status, operation.add_tags, operation.remove_tags)
        asked[sided(operation.side)].append((said, fields))
    agreed = decided.base.status and decided.base.status.agreed
    conflicts = {_values(conflict, swap=swap) for conflict in decided.conflicts}
    needs = {(sided(need.side), need.fields, need.thread) for need in decided.needs}
    held = {(sided(held.side), held.comment_id) for held in decided.held}
    has_stop = decided.stop is not None
    return agreed, decided.base.tags.agreed, asked, conflicts, needs, held, has_stop


def _values(conflict: Conflict, *, swap: bool) -> tuple[str, ...]:
    values = (conflict.platform, conflict.partner)
    return (conflict.base, *(values[::-1] if swap else values), conflict.result)


def test_a_thread_of_five_thousand_comments_is_planned() -> None:
    thread = tuple(a_comment(str(number), f"<p>{number}</p>") for number in range(1, 5001))
    shown = {Side.PLATFORM: a_snapshot(a_ticket(views={VIEW}), *thread)}
    decided = planned(Base(), shown, a_policy(), Circumstances(pair_key=PAIR_KEY, is_silent=True))
    assert len(drafts(decided.operations)) == 5001
    assert a_person().name in drafts(decided.operations)[0][1].html
