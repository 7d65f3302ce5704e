"""What a drastic change is, and how many at once are a mass change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.agreed import Base, HandOff, HandOffState, TagBase
from syncd.core.mass_change import (
    Drastic,
    DrasticChange,
    drastic_changes,
    is_mass_change,
    kept_for,
    mass_hint,
)
from syncd.core.model import End, Side, Status, Ticket
from syncd.core.policy import LinkPolicy, MassRule
from tests.support.build import (
    AT,
    LINK,
    a_base,
    a_status_base,
    a_status_update,
    a_tag_base,
    a_ticket,
    later,
)

POLICY = LinkPolicy(link=LINK, view="acme", share_tags=("t-*",))
BASE = a_base(tags=a_tag_base(["t-a"]))


def here(status: str = "Open", **members: object) -> Ticket:
    given: dict[str, object] = {"views": ["acme"], "tags": ["t-a"], "updated_at": later(9)}
    return a_ticket(status=status, **(given | members))  # type: ignore[arg-type]


def there(status: str = "open", **members: object) -> Ticket:
    given: dict[str, object] = {"tags": ["t-a"], "updated_at": later(9)}
    return a_ticket("9001", status=status, **(given | members))  # type: ignore[arg-type]


def found(
    platform: Ticket | None = None,
    partner: Ticket | None = None,
    *,
    base: Base = BASE,
    has_views: bool = True,
) -> list[DrasticChange]:
    tickets = {Side.PLATFORM: platform or here(), Side.PARTNER: partner or there()}
    return list(drastic_changes(base, tickets, POLICY, has_views=has_views))


def test_two_sides_as_they_were_agreed_show_nothing() -> None:
    assert found() == []
    assert found(here("With customer"), there("hold", tags=["t-a", "t-b", "own"])) == []


def test_a_close_by_either_side_is_one_with_its_own_time() -> None:
    update = a_status_update("solved", at=later(5))
    (change,) = found(partner=there("solved", status_update=update))
    assert change == DrasticChange(
        side=Side.PARTNER, kind=Drastic.CLOSED, before="open", after="solved", at=later(5)
    )
    (change,) = found(here("Closed"))
    assert (change.side, change.before, change.after, change.at) == (
        Side.PLATFORM,
        "Open",
        "Closed",
        later(9),
    )


def test_what_was_closed_already_or_closed_by_us_is_none() -> None:
    closed = a_status_base(Status.CLOSED, platform="Closed", partner="solved")
    assert found(here("Closed"), there("closed"), base=replace(BASE, status=closed)) == []


def test_a_close_of_ours_that_landed_without_an_answer_is_none() -> None:
    closing = replace(BASE, status=a_status_base(Status.CLOSED, platform="Closed"))
    assert found(here("Closed"), there("solved"), base=closing) == []


def test_nothing_is_known_before_the_first_agreement() -> None:
    assert found(here("Closed"), base=Base()) == []


@pytest.mark.parametrize("end", [End.DELETED, End.SPAM, End.GONE])
def test_a_ticket_that_went_away_is_one(end: End) -> None:
    (change,) = found(partner=there("solved", tags=[], end=end))
    assert (change.kind, change.before, change.after) == (Drastic.DELETED, "alive", end.value)
    assert (change.at is None) is (end is End.GONE)


def test_shared_tags_that_were_taken_off_are_one_and_others_are_none() -> None:
    (change,) = found(partner=there(tags=["own"]))
    assert (change.kind, change.before, change.after) == (Drastic.UNTAGGED, "t-a", "")
    kept = TagBase(agreed=frozenset(), seen={Side.PARTNER: frozenset({"t-a"})})
    # Already agreed to go: we are to take it off there ourselves.
    assert found(partner=there(tags=[]), base=replace(BASE, tags=kept)) == []


def test_a_ticket_taken_out_of_the_view_is_one_where_the_desk_has_views() -> None:
    (change,) = found(here(views=["other"]))
    assert (change.kind, change.before, change.after) == (Drastic.WITHDRAWN, "acme", "other")
    assert found(here(views=[]), has_views=False) == []


@pytest.mark.parametrize("state", [HandOffState.OFFERED, HandOffState.HANDED])
def test_what_a_hand_off_does_is_none(state: HandOffState) -> None:
    away = replace(BASE, hand_off=HandOff(state=state))
    assert found(here(views=[]), there("solved"), base=away) == []
    assert [c.side for c in found(here("Closed", views=[]), base=away)] == [Side.PLATFORM]


def test_an_older_update_of_another_status_does_not_date_a_close() -> None:
    earlier = a_status_update("pending", at=later(5))
    (change,) = found(partner=there("solved", status_update=earlier))
    assert change.at == later(9)


def test_each_side_is_told_of_for_itself_though_both_lost_their_ticket() -> None:
    both = found(here(end=End.DELETED), there(end=End.DELETED))
    assert [(c.side, c.kind, c.at) for c in both] == [
        (Side.PLATFORM, Drastic.DELETED, later(9)),
        (Side.PARTNER, Drastic.DELETED, later(9)),
    ]


def test_all_tags_that_were_taken_off_are_named_with_their_side_and_time() -> None:
    base = a_base(tags=a_tag_base(["t-a", "t-b"]))
    (change,) = found(here(tags=["t-a", "t-b"]), there(tags=[]), base=base)
    assert change == DrasticChange(
        side=Side.PARTNER, kind=Drastic.UNTAGGED, before="t-a t-b", after="", at=later(9)
    )


def test_all_views_that_a_withdrawn_ticket_is_in_now_are_named() -> None:
    (change,) = found(here(views=["third", "other"]))
    assert change == DrasticChange(
        side=Side.PLATFORM,
        kind=Drastic.WITHDRAWN,
        before="acme",
        after="other third",
        at=later(9),
    )


# --- how many ------------------------------------------------------------------------------------

RULE = MassRule(least=10, most=100, share=0.5, within=timedelta(hours=1))


def at_once(count: int) -> list[datetime | None]:
    return [AT] * count


@pytest.mark.parametrize(
    ("count", "open_pairs", "expected"),
    [
        (5, 5, False),
        (10, 10, False),
        (11, 11, True),
        (11, 22, False),
        (12, 22, True),
        (100, 10_000, False),
        (101, 10_000, True),
        (0, 0, False),
    ],
)
def test_few_always_pass_very_many_never_and_the_share_decides_between(
    count: int, open_pairs: int, expected: bool
) -> None:
    assert is_mass_change(at_once(count), open_pairs=open_pairs, rule=RULE) is expected


def test_what_was_done_over_days_is_none_however_much_it_is() -> None:
    spread: list[datetime | None] = [AT + timedelta(minutes=10 * n) for n in range(400)]
    assert not is_mass_change(spread, open_pairs=20, rule=RULE)
    assert is_mass_change([*spread, *at_once(8)], open_pairs=20, rule=RULE)


def test_changes_that_are_apart_by_just_the_rules_time_count_together() -> None:
    apart = at_once(6) + [AT + RULE.within] * 5
    assert is_mass_change(apart, open_pairs=11, rule=RULE)
    later_still = at_once(6) + [AT + RULE.within + timedelta(seconds=1)] * 5
    assert not is_mass_change(later_still, open_pairs=11, rule=RULE)


def test_who_is_asked_learns_how_many_on_which_desk_and_how_to_let_them_pass() -> None:
    hint = mass_hint("acme-postgres", Side.PARTNER, 12)
    assert hint.startswith("12 tickets")
    assert "partner's desk" in hint
    assert "`syncd confirm acme-postgres`" in hint


def test_what_has_no_time_counts_at_any() -> None:
    assert is_mass_change([None] * 6 + at_once(5), open_pairs=11, rule=RULE)


def test_changes_are_remembered_for_a_day_at_least() -> None:
    assert kept_for(RULE) == timedelta(days=1)
    assert kept_for(replace(RULE, within=timedelta(days=3))) == timedelta(days=3)


@given(
    minutes=st.lists(st.none() | st.integers(0, 300), max_size=40),
    open_pairs=st.integers(0, 60),
    least=st.integers(1, 12),
    most=st.integers(1, 30),
)
def test_it_is_decided_as_by_counting_every_stretch(
    minutes: list[int | None], open_pairs: int, least: int, most: int
) -> None:
    rule = replace(RULE, least=least, most=most)
    moments = [None if m is None else AT + timedelta(minutes=m) for m in minutes]
    known = [m for m in minutes if m is not None]
    count = len(minutes) - len(known)
    count += max((sum(first <= m <= first + 60 for m in known) for first in known), default=0)
    expected = count > least and (count > most or count > open_pairs / 2)
    assert is_mass_change(moments, open_pairs=open_pairs, rule=rule) is expected
    # One more never makes it less of one.
    if expected:
        assert is_mass_change([*moments, None], open_pairs=open_pairs, rule=rule)
