"""No statement of a run walks through a table: a change costs the same among many pairs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from syncd.store import agreement, due, feed, figures, pair, run, sight, step, trail
from syncd.store.file import connect_writer, create
from syncd.store.migrate import migrate
from syncd.store.statement import Statement
from syncd.store.tables import METADATA

_MODULES: tuple[ModuleType, ...] = (agreement, due, feed, pair, run, sight, step, trail)
_STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, Statement)
}
#: Rows that are few by nature: only what is due, and only what is on its way.
_FEW = {"SCAN pair USING INDEX ix_pair_due", "SCAN operation USING INDEX uq_operation_sent"}
_EXEMPT = {
    # Inserting a parent looks for orphans that wait for it, if there are any; there never are.
    "pair._ADD_PAIR",
    "pair._ADD_CONNECTION",
    # Once at every start.
    "pair._RELEASE_LEASES",
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "syncd.db"
    create(path)
    opened = connect_writer(path, busy_timeout_seconds=1, is_durable=False)
    migrate(opened, path=path)
    yield opened
    opened.close()


def steps_of(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    names = set(re.findall(r"(?<![:\w]):(\w+)", statement.sql))
    values = dict.fromkeys(names, "[]")
    return [
        row["detail"] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values)
    ]


@pytest.mark.parametrize("name", sorted(set(_STATEMENTS) - _EXEMPT))
def test_a_statement_of_a_run_finds_its_rows_by_an_index(
    connection: sqlite3.Connection, name: str
) -> None:
    walks = [
        detail
        for detail in steps_of(connection, _STATEMENTS[name])
        if (found := re.match(r"SCAN (\w+)", detail)) and found.group(1) in METADATA.tables
    ]
    assert set(walks) <= _FEW


def test_what_is_due_is_found_among_what_is_due(connection: sqlite3.Connection) -> None:
    assert set(steps_of(connection, _STATEMENTS["due._DUE"])) >= _FEW


@pytest.mark.parametrize("name", ["_PAIRS", "_WAITING", "_SENT", "_PARKED", "_UNCONFIRMED"])
def test_a_figure_walks_along_an_index_or_what_is_few(
    connection: sqlite3.Connection, name: str
) -> None:
    walks = {step for step in steps_of(connection, vars(figures)[name]) if step.startswith("SCAN")}
    covering = "SCAN pair USING COVERING INDEX ix_pair_link_state_ball"
    assert walks <= {*_FEW, covering, "SCAN hand_off"}
