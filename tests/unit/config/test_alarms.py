"""The section `alarms`: a route that could tell nobody is refused, and no address is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from config.alarms import Kind
from syncd.alarms.routes import addresses_of, ends_of, patience_of, routes_of
from syncd.core.alarm import AlarmKind, Cause
from syncd.core.model import LinkName
from tests.support.config_files import ENV, SMALLEST, loaded, problems, said

ADDRESS = "mailtos://syncd:geheim-4711@mail.example.com?to=ops@example.com"
WITH_ADDRESS = {**ENV, "OPS": ADDRESS}


def with_route(route: str, more: str = "") -> str:
    return f"{SMALLEST}alarms:\n  routes:\n    ops: {route}\n{more}"


def test_the_file_knows_every_kind_and_no_other() -> None:
    assert set(get_args(Kind)) == {kind.value for kind in AlarmKind}


def test_a_route_comes_to_the_rules_without_its_address() -> None:
    text = with_route('{to: "${OPS}", kinds: [leak], links: [db], remind: 1d, most: 3, within: 2h}')
    found = loaded(text, WITH_ADDRESS)
    assert found.warnings == ()
    (route,) = routes_of(found.config)
    assert route.kinds == {AlarmKind.LEAK}
    assert route.links == {LinkName("db")}
    assert route.connections == frozenset()
    assert (route.remind, route.most, route.within) == (timedelta(days=1), 3, timedelta(hours=2))
    assert addresses_of(found.config)["ops"].get_secret_value() == ADDRESS
    assert "geheim" not in repr(found.config)
    assert ends_of(found.config) == {"db": ("heroku", "acme")}


def test_a_file_without_routes_tells_nobody() -> None:
    assert list(routes_of(loaded(SMALLEST).config)) == []


def test_a_hand_off_is_late_after_what_its_link_allows_and_a_minute() -> None:
    text = SMALLEST + "    hand_off: {confirm_within: 30m}\n"
    patience = patience_of(loaded(text).config)
    late = Cause(kind=AlarmKind.HAND_OFF_LATE, link=LinkName("db"))
    assert patience.of(late) == timedelta(minutes=31)
    ends = Cause(kind=AlarmKind.CREDENTIAL_ENDS)
    assert patience.of(ends) == -timedelta(days=14), "told ahead"


@pytest.mark.parametrize(
    "address",
    [
        "nonsense://syncd:geheim-4711@mail.example.com",
        "mailto://",
        "ops@example.com",
        "https//hooks.example.com/geheim-4711",
    ],
)
def test_an_address_that_apprise_does_not_know_names_its_place_and_not_itself(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = problems(with_route('{to: "${OPS}"}'), {**ENV, "OPS": address})
    (problem,) = found
    assert problem.path == "alarms.routes.ops.to"
    assert "no address that apprise knows" in problem.message
    told = capfd.readouterr()
    assert address not in f"{problem}{problem.hint}{told.out}{told.err}"


def test_an_address_that_cannot_be_had_is_one_problem() -> None:
    assert set(said(with_route('{to: "${OPS}"}'))) == {"alarms.routes.ops.to"}


def test_an_address_in_the_file_itself_gives_a_warning() -> None:
    (warning,) = loaded(with_route(f'{{to: "{ADDRESS}"}}')).warnings
    assert warning.path == "alarms.routes.ops.to"
    assert "stands in the file itself" in warning.message


@pytest.mark.parametrize(
    ("route", "path", "part"),
    [
        ("links: [bd]", ".links[0]", "there is no link `bd`"),
        ("connections: [acme, globex]", ".connections[1]", "there is no connection `globex`"),
        ("kinds: [leek]", ".kinds[0]", "not one of the values"),
        ("kinds: []", ".kinds", "empty"),
        ("most: 0", ".most", "at least 1"),
        ("remind: 0s", ".remind", "longer than nothing"),
    ],
)
def test_what_a_route_names_must_be_there(route: str, path: str, part: str) -> None:
    messages = said(with_route(f'{{to: "${{OPS}}", {route}}}'), WITH_ADDRESS)
    assert part in messages[f"alarms.routes.ops{path}"]


def test_a_misspelled_link_is_helped_along() -> None:
    (problem,) = problems(with_route('{to: "${OPS}", links: [d]}'), WITH_ADDRESS)
    assert "db" in problem.hint
