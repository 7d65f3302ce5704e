"""Histories of two desks with syncd between them: where they end, and what never happens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.agreed import HandOffState
from syncd.core.model import Audience, Role, Side, Status
from syncd.core.operations import UpdateTicket
from syncd.core.policy import Direction, StatusRule
from syncd.core.status import resolve
from syncd.core.tags import shared_spelling
from tests.support.build import a_person
from tests.support.desks import Desk
from tests.support.twins import VIEW, Fault, Twins, a_policy

ADA = a_person("Ada", Role.AGENT)
SAM = a_person("Sam", Role.STAFF)
RAW = {
    Side.PLATFORM: ["Open", "With customer", "Closed"],
    Side.PARTNER: ["open", "hold", "pending", "solved"],
}
TEXT = re.compile(r"text(\d+)x")


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One update by a person: any of a comment, a status and a tag."""

    side: Side
    number: int
    audience: Audience | None = None
    status: str | None = None
    add: str | None = None
    remove: str | None = None

    def on(self, desk: Desk) -> None:
        desk.act(
            SAM if self.side is Side.PLATFORM else ADA,
            None if self.audience is None else f"<p>text{self.number}x</p>",
            audience=self.audience or Audience.PUBLIC,
            views={VIEW} if self.side is Side.PLATFORM else None,
            status=self.status,
            add={self.add} if self.add else (),
            remove={self.remove} if self.remove else (),
        )


def acts(*sides: Side, max_size: int = 6) -> st.SearchStrategy[list[Act]]:
    tags = st.none() | st.sampled_from(["t-a", "t-b", "own"])

    def on(side: Side) -> st.SearchStrategy[Act]:
        return st.builds(
            Act,
            side=st.just(side),
            number=st.integers(1, 10_000),
            audience=st.none() | st.sampled_from([Audience.PUBLIC, Audience.SHARED]),
            status=st.none() | st.sampled_from(RAW[side]),
            add=tags,
            remove=tags,
        )

    listed = st.lists(st.sampled_from(sides).flatmap(on), min_size=1, max_size=max_size)
    return listed.map(
        lambda found: [replace(act, number=index) for index, act in enumerate(found, start=1)]
    )


def born(
    rule: StatusRule = StatusRule.MORE_OPEN,
    *,
    has_stamps: bool = True,
    private: Direction = Direction.BOTH,
) -> Twins:
    policy = replace(a_policy(), status_rule=rule, private=private)
    twins = Twins(policy, has_readable_stamps=has_stamps)
    twins.see(Side.PLATFORM)
    twins.settle_down()
    return twins


def shown(twins: Twins) -> tuple[Any, ...]:
    """What people on both desks see in the end, without ids and times."""
    kept = twins.base.tags.kept
    statuses = tuple(
        twins.policy.statuses.meaning(side, desk.status) for side, desk in twins.desks.items()
    )
    tags = tuple(
        shared_spelling(desk.tags, twins.policy) - kept.get(side, frozenset())
        for side, desk in twins.desks.items()
    )
    return statuses, tags, texts(twins.platform), texts(twins.partner)


def texts(desk: Desk) -> list[tuple[int, Audience]]:
    """Numbered comments with their audience; those of each author side in order."""
    found = [(TEXT.search(c.html or ""), c.audience) for c in desk.comments]
    return sorted((int(match.group(1)), audience) for match, audience in found if match)


def assert_equal_sides(twins: Twins) -> None:
    statuses, tags, left, right = shown(twins)
    platform, partner = statuses
    platform_tags, partner_tags = tags
    assert platform is partner
    assert platform_tags == partner_tags
    assert left == right
    assert twins.look().operations == ()


@given(history=acts(*Side), gaps=st.lists(st.booleans(), min_size=6, max_size=6))
def test_converges_plan_and_apply_leave_both_desks_equal(
    history: list[Act], gaps: list[bool]
) -> None:
    twins = born()
    for act, is_worked in zip(history, gaps, strict=False):
        act.on(twins.desks[act.side])
        if is_worked:
            twins.settle_down()
    turns = twins.settle_down()
    assert_equal_sides(twins)
    said = sum(1 for act in history if act.audience is not None)
    assert turns <= 3 * said + 8


@given(history=acts(Side.PLATFORM) | acts(Side.PARTNER), turns=st.lists(st.integers(0, 3)))
def test_one_sided_edits_never_conflict(history: list[Act], turns: list[int]) -> None:
    twins = born()
    for index, act in enumerate(history):
        act.on(twins.desks[act.side])
        twins.clock.advance(2)
        twins.see(act.side)
        for _ in range(turns[index] if index < len(turns) else 0):
            twins.turn()
    twins.settle_down()
    assert twins.conflicts == []
    assert_equal_sides(twins)


@given(before=acts(*Side, max_size=4), between=acts(*Side, max_size=3), at=st.integers(0, 6))
@example(
    before=[Act(side=Side.PARTNER, number=1, audience=Audience.PUBLIC, status="pending")],
    between=[Act(side=Side.PLATFORM, number=1, audience=Audience.PUBLIC, status="Open")],
    at=1,
)
def test_nothing_a_person_wrote_is_lost_also_between_any_two_operations(
    before: list[Act], between: list[Act], at: int
) -> None:
    twins = born()
    for act in before:
        act.on(twins.desks[act.side])
    for side in Side:
        twins.see(side)
    for _ in range(at):
        twins.turn()
    for act in between:
        replace(act, number=act.number + 100).on(twins.desks[act.side])
    twins.settle_down()
    assert_equal_sides(twins)
    numbers = {number for number, _ in texts(twins.partner)}
    numbers_said = {a.number for a in before if a.audience}
    numbers_said |= {a.number + 100 for a in between if a.audience}
    assert numbers == numbers_said
    _check_tags_touched_once(twins, [*before, *between])


def _check_tags_touched_once(twins: Twins, history: Sequence[Act]) -> None:
    for tag in ("t-a", "t-b"):
        adds = [act for act in history if act.add == tag and act.remove != tag]
        removes = [act for act in history if act.remove == tag]
        if adds and not removes:
            assert tag in twins.platform.tags
            assert tag in twins.partner.tags
        if not adds:
            assert tag not in twins.platform.tags | twins.partner.tags


@given(history=acts(*Side), has_stamps=st.booleans())
def test_no_echo_a_second_look_finds_nothing_new(history: list[Act], has_stamps: bool) -> None:
    twins = born(has_stamps=has_stamps)
    for act in history:
        act.on(twins.desks[act.side])
        twins.settle_down()
    count = len(twins.written)
    moved = len(twins.transitions)
    twins.settle_down()
    assert len(twins.written) == count
    assert len(twins.transitions) == moved


@given(history=acts(*Side), length=st.sampled_from([40, 20_000]))
def test_no_echo_when_all_is_forgotten_but_the_stamps(history: list[Act], length: int) -> None:
    twins = born()
    twins.platform.act(a_person(), f"<p>{'long ' * length}</p>")
    for act in history:
        act.on(twins.desks[act.side])
        twins.settle_down()
    before = shown(twins)
    counts = {side: len(desk.comments) for side, desk in twins.desks.items()}
    twins.forget()
    twins.settle_down()
    assert {side: len(desk.comments) for side, desk in twins.desks.items()} == counts
    assert shown(twins) == before


@given(
    history=acts(*Side, max_size=4),
    fault=st.sampled_from([Fault.BEFORE, Fault.AFTER]),
    at=st.integers(0, 8),
    is_remembered=st.booleans(),
)
def test_prefix_safe_a_run_cut_short_anywhere_ends_like_one_that_was_not(
    history: list[Act], fault: Fault, at: int, is_remembered: bool
) -> None:
    calm, cut = born(), born()
    for twins in (calm, cut):
        for act in history:
            act.on(twins.desks[act.side])
        twins.clock.advance(2)
        for side in Side:
            twins.see(side)
    calm.settle_down()
    for _ in range(at):
        cut.turn()
    cut.turn(fault)
    if not is_remembered and fault is Fault.AFTER:
        # The journal is lost too: what landed is found by its stamp alone.
        cut.sent = None
    cut.settle_down()
    assert shown(cut) == shown(calm)
    assert len(cut.partner.comments) == len(calm.partner.comments)
    assert len(cut.platform.comments) == len(calm.platform.comments)


@given(
    platform=st.sampled_from(RAW[Side.PLATFORM]),
    partner=st.sampled_from(RAW[Side.PARTNER]),
    rule=st.sampled_from(list(StatusRule)),
    first=st.sampled_from(list(Side)),
    start=st.sampled_from(RAW[Side.PLATFORM]),
    is_decided=st.booleans(),
)
def test_two_changes_that_could_not_know_of_each_other_are_argued_out_whenever_they_are_seen(
    *, platform: str, partner: str, rule: StatusRule, first: Side, start: str, is_decided: bool
) -> None:
    twins = born(rule)
    twins.platform.act(SAM, status=start)
    twins.settle_down()
    statuses = twins.policy.statuses
    agreed = statuses.means[Side.PLATFORM][start]
    raw = {Side.PLATFORM: platform, Side.PARTNER: partner}
    people = {Side.PLATFORM: SAM, Side.PARTNER: ADA}
    wishes = {side: statuses.means[side][value] for side, value in raw.items()}
    twins.desks[first].act(people[first], status=raw[first])
    twins.clock.advance(2)
    twins.see(first)
    if is_decided:
        # Decided and journaled, and cut short before the other side was told.
        twins.base = twins.look().base
    twins.desks[first.other].act(people[first.other], status=raw[first.other])
    twins.settle_down()
    changed = {side: wish for side, wish in wishes.items() if wish is not agreed}
    expected = resolve(wishes, rule) if len(changed) == 2 else next(iter(changed.values()), agreed)
    assert shown(twins)[0] == (expected, expected)
    assert len(twins.conflicts) == (1 if len(set(changed.values())) == 2 else 0)
    for conflict in twins.conflicts:
        assert (conflict.platform, conflict.partner) == (platform, partner)
        assert conflict.result == expected.value


@given(
    turns=st.lists(
        st.sampled_from(["turn", "before", "after", "forgotten", "see", "wait"]), max_size=12
    ),
    status=st.none() | st.sampled_from(RAW[Side.PARTNER]),
    customer=st.booleans(),
    count=st.integers(1, 3),
    private=st.sampled_from(Direction),
)
def test_hand_off_once_whatever_comes_between(
    *, turns: list[str], status: str | None, customer: bool, count: int, private: Direction
) -> None:
    twins = born(private=private)
    for number in range(1, count + 1):
        twins.partner.act(
            ADA,
            f"<p>text{number}x</p><p>Reassign to Heroku</p>",
            audience=Audience.SHARED,
            status=status,
        )
    if customer:
        twins.platform.act(a_person(), "<p>text9x</p>", status="Open")
    for turn in turns:
        if turn == "see":
            twins.see(Side.PARTNER)
        elif turn == "wait":
            twins.clock.advance(1)
        elif turn == "forgotten":
            # Landed, unanswered, and not even the journal knows: all is read before anything else.
            twins.turn(Fault.AFTER)
            twins.sent = None
            for side in Side:
                twins.see(side)
        else:
            twins.turn({"turn": Fault.NONE, "before": Fault.BEFORE, "after": Fault.AFTER}[turn])
        is_told = any("now with Heroku" in (c.html or "") for c in twins.partner.comments)
        assert not is_told or VIEW not in twins.platform.views
    twins.settle_down()
    # The platform's updates have ids of our choice: sent twice, they are one.
    leaves = {op.op_id for op in twins.written if isinstance(op, UpdateTicket) and op.leave_view}
    assert len(leaves) == 1
    assert twins.base.hand_off.state is HandOffState.HANDED
    assert shown(twins)[0] == (Status.OPEN, Status.OPEN)
    assert twins.policy.ball_tag in twins.partner.tags
    carried = {number for number, audience in texts(twins.platform) if audience is Audience.SHARED}
    is_carried = private.allows(Side.PLATFORM)
    assert carried == (set(range(1, count + 1)) if is_carried else set())
    if is_carried:
        assert_equal_sides(twins)
    assert twins.look().operations == ()


@given(
    person=st.sampled_from(["open", "hold", "pending", "solved"]),
    tag=st.booleans(),
    removes=st.booleans(),
    at=st.integers(0, 4),
)
def test_what_a_write_overwrote_in_the_moment_before_is_repaired_and_on_record(
    person: str, tag: bool, removes: bool, at: int
) -> None:
    twins = born()
    twins.partner.act(ADA, add={"t-old", "mine"})
    twins.settle_down()
    twins.is_hasty = True
    twins.platform.act(SAM, status="Closed", add={"t-new"})
    twins.see(Side.PLATFORM)
    for side in Side:
        twins.see(side)
    # In the very second of the last change: no precondition can tell.
    twins.partner.updates.append(replace(twins.partner.updates[-1]))
    before = twins.partner.status
    twins.partner.status = person
    added = {"t-mine", "note"} if tag else set()
    gone = {"t-old", "mine"} if removes else set()
    twins.partner.tags = (twins.partner.tags | added) - gone
    for _ in range(at):
        twins.turn()
    twins.settle_down()
    meant = twins.policy.statuses.means[Side.PARTNER][person]
    expected = (
        Status.CLOSED
        if meant is Status.OPEN
        else resolve({Side.PLATFORM: Status.CLOSED, Side.PARTNER: meant}, StatusRule.MORE_OPEN)
    )
    assert before == "open"
    assert shown(twins)[0] == (expected, expected)
    assert twins.partner.tags >= added
    assert not (twins.partner.tags & gone)
    shared = {t for t in twins.partner.tags if t.startswith("t-")}
    assert shared == {"t-new"} | (added - {"note"}) | ({"t-old"} - gone)
    assert {t for t in twins.platform.tags if t.startswith("t-")} == shared
    if tag or removes:
        assert any(c.name == "tags" and c.rule == "overwritten" for c in twins.conflicts) or (
            at == 0
        )
