"""What follows from each error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.core import errors
from syncd.core.reaction import REACTIONS, Action, Reaction, delay_seconds, react
from tests.support.build import AT


def leaves(kind: type[errors.SyncdError]) -> Iterator[type[errors.SyncdError]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


def test_every_error_that_can_be_raised_has_a_reaction() -> None:
    own = {kind for kind in leaves(errors.SyncdError) if kind.__module__ == errors.__name__}
    assert own - set(REACTIONS) == set()


def test_a_lost_answer_is_looked_for_and_counts_as_a_try() -> None:
    lost = errors.OutcomeUnknown("no answer", connection="acme", action="write")
    assert react(lost, tries=0) == Reaction(action=Action.FIND, counts_as_try=True)


def test_being_asked_to_wait_never_counts_against_the_pair() -> None:
    limited = errors.RateLimited("slow down", retry_at=AT, connection="acme", action="read")
    assert react(limited, tries=9) == Reaction(action=Action.WAIT)
    assert limited.retry_at == AT


@pytest.mark.parametrize(("tries", "action"), [(0, Action.BACK_OFF), (4, Action.PARK)])
def test_a_riddle_is_waited_out_until_it_is_no_passing_page(tries: int, action: Action) -> None:
    riddle = errors.Unintelligible("HTML", connection="acme", action="read")
    assert react(riddle, tries=tries).action is action


def test_a_refusal_parks_and_names_the_field() -> None:
    refused = errors.Rejected("no", connection="acme", action="write", status=422, field="status")
    assert react(refused, tries=0).action is Action.PARK
    assert refused.field == "status"
    assert "422" in str(refused)


def test_delays_double_up_to_five_minutes_and_are_spread() -> None:
    assert [delay_seconds(tries, spread=1.0) for tries in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert delay_seconds(99, spread=1.0) == 300.0
    assert delay_seconds(1, spread=0.0) == 0.75


def test_all_problems_of_a_file_are_told_each_with_its_place() -> None:
    problem = errors.Problem(message="unknown key", file="x.yaml", line=3, path="links", hint="go")
    error = errors.ConfigError((problem, errors.Problem(message="empty")))
    assert str(error) == "x.yaml:3: links: unknown key (go)\nempty"
    assert error.problems[0] == problem
