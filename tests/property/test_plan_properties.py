"""What no plan may ever do, whatever two desks show and whatever was agreed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.agreed import Base, HandOff, Known, StatusBase, TagBase
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances
from syncd.core.model import Audience, Conflict, Side, Snapshot, Status
from syncd.core.notes import NoteKind
from syncd.core.operations import Draft, Operation, UpdateTicket, note_op
from syncd.core.owing import note_key
from syncd.core.plan import Plan, plan
from syncd.core.policy import HEROKU_STATUSES, LinkPolicy, StatusMap, StatusRule
from syncd.core.stamp import stamp_for
from tests.support.arbitrary import (
    RAW,
    any_both,
    bases,
    both,
    policies,
    situations,
    snapshots,
    tag_sets,
)
from tests.support.build import LINK, a_comment, a_person, a_snapshot, a_ticket
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

DESKS: Mapping[Side, Capabilities] = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
SECRET = "vertraulich"


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
        status=base.status and replace(base.status, is_let_be=False, refused={}),
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
