"""The checker shares nothing with what it judges, and a failing history is cut to what it takes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.simulation import (
    bounds,
    checker,
    ledger,
    looks,
    loops,
    silence,
    statuses,
    strangers,
    told,
    unread,
)
from tests.simulation.desks import PLATFORM, VIEWS
from tests.simulation.history import longest_lag, play
from tests.simulation.ledger import Ledger, LetGo, Said
from tests.simulation.looks import Looks
from tests.simulation.loops import Loops
from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.people import Writer
from tests.simulation.script import Script, Terms, read_script
from tests.simulation.shrink import shrunk
from tests.simulation.statuses import Move, Statuses
from tests.simulation.strangers import PARTNER_ID, PLATFORM_ID, Strangers


def _imports(path: str) -> set[str]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    named = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return {name.partition(".")[0] for name in named}


def test_the_checker_and_its_ledger_import_nothing_of_what_they_judge() -> None:
    judges = (bounds, checker, ledger, looks, loops, silence, statuses, strangers, told, unread)
    for module in judges:
        assert module.__file__ is not None
        assert not _imports(module.__file__) & {"syncd", "connectors", "config"}


class _Part:
    """Of a daemon, with whatever it has kept."""

    def __init__(self, kept: object) -> None:
        self.kept = kept


@pytest.mark.parametrize("count", [4096, 4097])
@pytest.mark.parametrize("form", [PLATFORM_ID, PARTNER_ID])
def test_strangers_are_found_wherever_a_daemon_keeps_them(form: str, count: int) -> None:
    ids = [form.format(number) for number in range(count)]
    inside = {"bodies": [(f'{{"id": "{one}"}}',) for one in ids]}
    wrong: list[int] = []
    watch = Strangers(lambda promise, _: wrong.append(promise))
    watch.look(_Part([_Part(inside), lambda: inside]))
    assert wrong == [10] * (count > 4096)


@pytest.mark.parametrize("form", [PLATFORM_ID, PARTNER_ID])
def test_a_single_stranger_in_the_store_or_with_a_pair_is_found(form: str) -> None:
    wrong: list[str] = []
    watch = Strangers(lambda _, what: wrong.append(what))
    watch.check(["INSERT INTO t VALUES(1, 'K77');"], ["K77"])
    assert wrong == []
    watch.check([f"INSERT INTO t VALUES(1, '{form.format(7)}');"], [form.format(7)])
    assert len(wrong) == 2


def _a_machines(number: int, desk: str) -> Said:
    return Said(number=number, at=0, ticket=1, desk=desk, who="a bot", to="public", is_machine=True)


@pytest.mark.parametrize(("round_trips", "count"), [(6, 0), (7, 1)])
def test_machines_may_go_round_as_often_as_the_cap_and_no_more(
    round_trips: int, count: int
) -> None:
    wrong: list[str] = []
    known = Ledger(tickets={1: "K1"})
    watch = Loops(known, lambda _, what: wrong.append(what), most=5)
    for number in range(round_trips):
        watch.copied(_a_machines(number, "acme"), PLATFORM, number * 10)
        watch.copied(_a_machines(number, PLATFORM), "acme", number * 10 + 5)
    assert len(wrong) == count


def test_a_pair_that_a_person_let_go_on_is_counted_anew() -> None:
    wrong: list[str] = []
    known = Ledger(tickets={1: "K1"})
    watch = Loops(known, lambda _, what: wrong.append(what), most=5)
    for number in range(12):
        if number == 6:
            known.let_go.append(
                LetGo(at=59, pair_id="1", link=VIEWS["acme"], platform="K1", reason="loop")
            )
        watch.copied(_a_machines(number, "acme"), PLATFORM, number * 10)
        watch.copied(_a_machines(number, PLATFORM), "acme", number * 10 + 5)
    assert wrong == []


@pytest.mark.parametrize(("alarms", "count"), [(0, 1), (1, 0), (2, 1)])
def test_a_stopped_loop_is_told_once(alarms: int, count: int) -> None:
    wrong: list[str] = []
    line = json.dumps({"event": "pair.parked", "pair": "1", "reason": "loop"}) + "\n"
    watch = Loops(Ledger(), lambda _, what: wrong.append(what), most=5)
    watch.check({"1": "loop"}, line * alarms, kills=0)
    assert len(wrong) == count


HERE, THERE = (PLATFORM, "t1"), ("acme", "4001")


def _moved(at: float, before: str, after: str, *, is_syncd: bool = False) -> Move:
    return Move(at=at, is_syncd=is_syncd, before=before, after=after)


@pytest.mark.parametrize(
    ("left_at", "guarded", "count"),
    [
        # The answer that closed was on its way when staff said the same.
        (101.0, {("acme", 100.0)}, 0),
        # Nobody guards an end without an answer.
        (101.0, set(), 1),
        # So long before, it had come and gone.
        (31.0, {("acme", 30.0)}, 1),
    ],
)
def test_what_the_close_guard_makes_of_an_answer_is_the_same_as_what_staff_set(
    left_at: float, guarded: set[tuple[str, float]], count: int
) -> None:
    seen = Statuses()
    seen.add(*THERE, _moved(left_at - 1, "hold", "solved"))
    seen.add(*THERE, _moved(left_at, "solved", "open"))
    seen.add(*HERE, _moved(110.0, "Open", "With customer"))
    seen.add(*HERE, _moved(125.0, "With customer", "Open", is_syncd=True))
    lost = seen.overwritten(HERE, THERE, 75.0, guarded=guarded)
    assert [one.value for one in lost] == ["With customer"] * count


@pytest.mark.parametrize(
    ("poll", "share", "lag"), [(15, 60, 135.0), (15, 100, 75.0), (60, 60, 120.0)]
)
def test_a_feed_that_waits_for_its_quota_may_know_a_minute_later(
    poll: int, share: int, lag: float
) -> None:
    assert longest_lag(Terms(seed=1, poll_seconds=poll, share=share)) == lag


@pytest.mark.parametrize(
    ("reads", "is_hidden"),
    [
        pytest.param([250.0], True, id="not held back any more, its change still is"),
        pytest.param([170.0, 250.0], False, id="seen before"),
        pytest.param([150.0, 250.0], True, id="held back when it was looked for"),
        pytest.param([260.0], False, id="shown with its change"),
        pytest.param([], False, id="never seen"),
    ],
)
def test_a_change_may_hide_in_the_minute_that_exports_hold_back(
    reads: list[float], *, is_hidden: bool
) -> None:
    """A public phrase made private before the first look after an outage, was so all along."""
    looks = Looks()
    for at in reads:
        looks.answered("acme", "/api/v2/incremental/ticket_events", at)
    looks.answered("acme", "/api/v2/incremental/tickets/cursor", 170.0)
    looks.answered("globex", "/api/v2/incremental/ticket_events", 170.0)
    assert looks.hid("acme", 100.0, 200.0) is is_hidden


@pytest.mark.slow
def test_a_real_failure_is_cut_short_and_plays_again_from_its_file(tmp_path: Path) -> None:
    (mutant,) = [one for one in MUTANTS if one.name == "private copies are public"]

    def fails(tried: Script) -> bool:
        return any(violation.promise == 1 for violation in play(tried).violations)

    with planted(mutant):
        script = Writer(2, deeds=10, days=0.01).script()
        assert fails(script)
        short = shrunk(script, fails, most_tries=40)
        assert len(short.events) < len(script.events) / 2
        short.write(tmp_path / "short.jsonl")
        assert fails(read_script(tmp_path / "short.jsonl"))
    assert not fails(short)


def test_a_failing_script_is_cut_to_the_events_that_it_takes() -> None:
    script = Writer(1, deeds=60).script()
    needed = [script.events[3], script.events[40]]

    def fails(tried: Script) -> bool:
        return all(event in tried.events for event in needed)

    assert list(shrunk(script, fails).events) == needed
