"""The three-way merge of the status, value by value."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import StatusBase
from syncd.core.model import Side, Status
from syncd.core.policy import HEROKU_STATUSES, StatusRule
from syncd.core.status import (
    StatusDecision,
    changed_sides,
    decide_status,
    has_arrived,
    owed_status,
)
from tests.support.build import a_status_base


def decide(
    base: StatusBase | None,
    platform: str,
    partner: str,
    *,
    rule: StatusRule = StatusRule.MORE_OPEN,
    guarded: dict[Side, Status] | None = None,
    mute: frozenset[Side] = frozenset(),
    siblings: tuple[Status, ...] = (),
) -> StatusDecision:
    return decide_status(
        base,
        {Side.PLATFORM: platform, Side.PARTNER: partner},
        statuses=HEROKU_STATUSES,
        rule=rule,
        guarded=guarded,
        mute=mute,
        siblings=siblings,
    )


def test_nothing_changed_keeps_what_was_agreed() -> None:
    decided = decide(a_status_base(), "Open", "open")
    assert decided == StatusDecision(base=a_status_base())


@pytest.mark.parametrize(
    ("platform", "partner", "agreed"),
    [
        ("Closed", "open", Status.CLOSED),
        ("Open", "pending", Status.WITH_CUSTOMER),
        ("Closed", "solved", Status.CLOSED),
    ],
)
def test_one_side_or_both_to_the_same_is_no_conflict(
    platform: str, partner: str, agreed: Status
) -> None:
    decided = decide(a_status_base(), platform, partner)
    assert decided.base.agreed is agreed
    assert decided.conflict is None


@pytest.mark.parametrize(
    ("rule", "agreed", "winner"),
    [
        (StatusRule.MORE_OPEN, Status.WITH_CUSTOMER, Side.PARTNER),
        (StatusRule.PLATFORM, Status.CLOSED, Side.PLATFORM),
        (StatusRule.PARTNER, Status.WITH_CUSTOMER, Side.PARTNER),
    ],
)
def test_both_changed_and_differ_is_decided_by_the_rule_and_recorded_with_both_values(
    rule: StatusRule, agreed: Status, winner: Side
) -> None:
    decided = decide(a_status_base(), "Closed", "pending", rule=rule)
    assert (decided.base.agreed, decided.base.by) == (agreed, winner)
    assert decided.conflict is not None
    assert (decided.conflict.platform, decided.conflict.partner) == ("Closed", "pending")
    assert (decided.conflict.base, decided.conflict.rule) == ("open", rule.value)
    assert decided.changed == frozenset(Side)


@pytest.mark.parametrize("raw", ["new", "hold"])
def test_another_value_of_the_same_meaning_is_no_change(raw: str) -> None:
    decided = decide(a_status_base(), "Open", raw)
    assert decided.changed == frozenset()
    assert owed_status(decided.base, Side.PARTNER, HEROKU_STATUSES) is None


def test_another_value_of_the_same_meaning_is_no_change_on_a_side_that_is_behind_either() -> None:
    behind = StatusBase(
        agreed=Status.WITH_CUSTOMER,
        seen={Side.PLATFORM: "With customer", Side.PARTNER: "new"},
        by=Side.PLATFORM,
    )
    decided = decide(behind, "With customer", "open")
    assert decided.base.agreed is Status.WITH_CUSTOMER
    assert owed_status(decided.base, Side.PARTNER, HEROKU_STATUSES) == "pending"


def test_a_side_seen_for_the_first_time_has_not_changed_anything() -> None:
    base = StatusBase(agreed=Status.OPEN, seen={Side.PLATFORM: "Open"})
    decided = decide(base, "Open", "solved")
    assert decided.changed == frozenset()
    assert owed_status(decided.base, Side.PARTNER, HEROKU_STATUSES) == "open"


def test_who_changes_it_before_hearing_of_the_others_wish_argues_with_it() -> None:
    undelivered = StatusBase(
        agreed=Status.OPEN,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
        by=Side.PLATFORM,
    )
    decided = decide(undelivered, "Open", "pending")
    assert decided.base.agreed is Status.OPEN
    assert decided.conflict is not None
    assert (decided.conflict.platform, decided.conflict.partner) == ("Open", "pending")


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(
            StatusBase(
                agreed=Status.OPEN,
                seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
                by=Side.PARTNER,
            ),
            id="its own wish",
        ),
        pytest.param(
            StatusBase(
                agreed=Status.OPEN, seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"}, by=None
            ),
            id="nobody knows whose",
        ),
        pytest.param(
            StatusBase(
                agreed=Status.OPEN,
                seen={Side.PLATFORM: "Open", Side.PARTNER: "open"},
                by=Side.PLATFORM,
            ),
            id="delivered",
        ),
    ],
)
def test_who_changes_it_knowing_what_was_agreed_just_changes_it(base: StatusBase) -> None:
    decided = decide(base, "Open", "pending")
    assert decided.base.agreed is Status.WITH_CUSTOMER
    assert decided.conflict is None


@pytest.mark.parametrize(
    ("rule", "agreed"),
    [
        (StatusRule.MORE_OPEN, Status.OPEN),
        (StatusRule.PLATFORM, Status.WITH_CUSTOMER),
        (StatusRule.PARTNER, Status.OPEN),
    ],
)
def test_who_sets_by_chance_what_the_other_desk_had_left_already_is_heard(
    rule: StatusRule, agreed: Status
) -> None:
    """A write of ours that landed without an answer is found before anything is decided."""
    behind = StatusBase(
        agreed=Status.OPEN,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
        by=Side.PLATFORM,
    )
    decided = decide(behind, "With customer", "open", rule=rule)
    assert decided.base.agreed is agreed
    assert decided.conflict is not None


def test_a_close_that_is_guarded_is_a_wish_of_its_own() -> None:
    behind = StatusBase(
        agreed=Status.WITH_CUSTOMER,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "pending"},
        by=Side.PARTNER,
    )
    guarded = {Side.PLATFORM: Status.WITH_CUSTOMER}
    decided = decide(behind, "Closed", "open", guarded=guarded)
    assert decided.base.agreed is Status.OPEN
    assert decided.conflict is not None


def test_a_wish_that_a_sibling_holds_back_on_purpose_is_not_on_its_way() -> None:
    held_back = StatusBase(
        agreed=Status.CLOSED,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
        by=Side.PARTNER,
    )
    decided = decide(held_back, "With customer", "solved", siblings=(Status.OPEN,))
    assert decided.base.agreed is Status.WITH_CUSTOMER
    assert decided.conflict is None


def test_a_muted_change_is_noted_and_has_no_effect() -> None:
    decided = decide(a_status_base(), "Open", "solved", mute=frozenset({Side.PARTNER}))
    assert decided.changed == {Side.PARTNER}
    assert decided.base.agreed is Status.OPEN
    assert decided.base.seen[Side.PARTNER] == "solved"


def test_the_close_guard_replaces_what_a_change_means() -> None:
    guarded = {Side.PARTNER: Status.WITH_CUSTOMER}
    decided = decide(a_status_base(), "Open", "solved", guarded=guarded)
    assert decided.base.agreed is Status.WITH_CUSTOMER
    assert owed_status(decided.base, Side.PARTNER, HEROKU_STATUSES) == "pending"
    assert owed_status(decided.base, Side.PLATFORM, HEROKU_STATUSES) == "With customer"


def test_a_change_that_is_agreed_on_and_not_meant_any_more_is_taken_back() -> None:
    solved = replace(
        a_status_base(Status.CLOSED, platform="Open", partner="solved"), by=Side.PARTNER
    )
    decided = decide(solved, "Open", "solved", guarded={Side.PARTNER: Status.OPEN})
    assert decided.base == replace(solved, agreed=Status.OPEN)
    assert (decided.changed, decided.conflict) == (frozenset(), None)
    # What waits for the customer was guarded when it changed.
    waiting = {Side.PARTNER: Status.WITH_CUSTOMER}
    assert decide(solved, "Open", "solved", guarded=waiting).base == solved
    muted = frozenset({Side.PARTNER})
    again = decide(solved, "Open", "solved", guarded={Side.PARTNER: Status.OPEN}, mute=muted)
    assert again.base == solved


def test_without_a_base_the_sides_are_compared_and_a_difference_is_on_record() -> None:
    decided = decide(None, "With customer", "open")
    assert decided.base.agreed is Status.OPEN
    assert decided.conflict is not None
    assert decided.conflict.base == ""
    assert decided.changed == frozenset()


def test_without_a_base_equal_sides_simply_agree() -> None:
    decided = decide(None, "With customer", "pending")
    assert decided.base.agreed is Status.WITH_CUSTOMER
    assert decided.conflict is None


def test_without_a_base_a_ticket_on_which_nobody_has_a_say_is_open() -> None:
    decided = decide(None, "Closed", "solved", mute=frozenset(Side))
    assert decided.base.agreed is Status.OPEN
    assert decided.conflict is None


def test_a_status_of_which_only_the_meaning_changed_is_seen_as_it_is() -> None:
    base = a_status_base(partner="gone from the map")
    shown = {Side.PLATFORM: "Open", Side.PARTNER: "open"}
    assert changed_sides(base, shown, HEROKU_STATUSES) == {Side.PARTNER}


def test_the_most_open_of_the_siblings_counts_on_the_platform_alone() -> None:
    base = StatusBase(
        agreed=Status.CLOSED, seen={Side.PLATFORM: "With customer", Side.PARTNER: "open"}
    )
    siblings = (Status.WITH_CUSTOMER, Status.OPEN)
    assert owed_status(base, Side.PLATFORM, HEROKU_STATUSES, siblings=siblings) == "Open"
    assert owed_status(base, Side.PARTNER, HEROKU_STATUSES, siblings=siblings) == "solved"


def test_a_partner_that_is_let_be_is_owed_nothing() -> None:
    base = StatusBase(agreed=Status.OPEN, seen={Side.PARTNER: "solved"}, is_let_be=True)
    assert owed_status(base, Side.PARTNER, HEROKU_STATUSES) is None


def test_a_side_that_was_never_seen_is_owed_nothing() -> None:
    assert owed_status(StatusBase(agreed=Status.OPEN), Side.PARTNER, HEROKU_STATUSES) is None


@pytest.mark.parametrize(
    ("base", "has"),
    [
        (StatusBase(agreed=Status.WITH_CUSTOMER, seen={Side.PARTNER: "open"}), True),
        (StatusBase(agreed=Status.OPEN, seen={Side.PARTNER: "open"}), False),
        (StatusBase(agreed=Status.WITH_CUSTOMER, seen={Side.PARTNER: "pending"}), False),
        (StatusBase(agreed=Status.WITH_CUSTOMER, seen={Side.PLATFORM: "Open"}), False),
        (None, False),
    ],
    ids=["is there now", "not that", "was there already", "never seen", "nothing agreed"],
)
def test_what_was_agreed_has_arrived_where_it_was_not_shown_before(
    base: StatusBase | None, has: bool
) -> None:
    assert has_arrived(base, "pending", Side.PARTNER, HEROKU_STATUSES) is has
