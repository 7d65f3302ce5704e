"""Statements: SQL written with SQLAlchemy's expressions, compiled once, run on the bare driver.

Building and binding through SQLAlchemy costs more than SQLite itself; here that price is paid once,
at import.
Values go in and come out as SQLite holds them; `rows` translates.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    TableValuedAlias,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import Insert, dialect, insert
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import ScalarSelect

Values = Mapping[str, object]

_NOTHING: Values = {}
_DIALECT = dialect(paramstyle="named")


class Statement:
    """One SQL text with `:names`; every value is a parameter, none is baked in."""

    __slots__ = ("sql",)

    def __init__(self, clause: ClauseElement | str) -> None:
        expression = text(clause) if isinstance(clause, str) else clause
        compiled = expression.compile(dialect=_DIALECT)
        baked_in = {name for name, value in compiled.params.items() if value is not None}
        if baked_in:
            raise TypeError(f"write these as bindparam() or fixed(): {sorted(baked_in)}")
        self.sql = str(compiled)


class Session:
    """One connection inside a transaction that somebody else opened and will end."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: Statement, values: Values = _NOTHING) -> int:
        """Write, and say how many rows that touched."""
        return self._connection.execute(statement.sql, values).rowcount

    def run_many(self, statement: Statement, rows: Iterable[Values]) -> None:
        self._connection.executemany(statement.sql, rows)

    def rows(self, statement: Statement, values: Values = _NOTHING) -> Sequence[sqlite3.Row]:
        return self._connection.execute(statement.sql, values).fetchall()

    def row(self, statement: Statement, values: Values = _NOTHING) -> sqlite3.Row | None:
        """The first row, or None."""
        found: sqlite3.Row | None = self._connection.execute(statement.sql, values).fetchone()
        return found

    def number(self, statement: Statement, values: Values = _NOTHING) -> int:
        """The one integer that the statement always gives, such as an inserted row's id."""
        # All rows, because an INSERT with RETURNING is finished only then.
        ((found,),) = self._connection.execute(statement.sql, values).fetchall()
        return int(found)


def fixed(word: str) -> ColumnElement[str]:
    """A word of ours as part of the SQL itself, as SQLite needs it to match a partial index."""
    return literal_column(f"'{word}'")


def each(name: str) -> TableValuedAlias:
    """The parts of a JSON array parameter as a table with `key` and `value`."""
    return func.json_each(bindparam(name)).table_valued("key", "value", name=f"each_{name}")


def among(name: str) -> ScalarSelect[str]:
    """The parts of a JSON array parameter, for `IN`: one statement for any number of them."""
    return select(each(name).c.value).scalar_subquery()


def part(row: TableValuedAlias, index: int) -> ColumnElement[str]:
    """One part of an array inside the array."""
    return func.json_extract(row.c.value, literal_column(f"'$[{index}]'"))


def at_most(query: Select[Any]) -> Select[Any]:
    """The first `:limit` rows."""
    # SQLAlchemy adds an OFFSET of its own, as a baked-in value, unless there is one.
    return query.limit(bindparam("limit")).offset(literal_column("0"))


def insert_into(table: Table, **instead: ColumnElement[int] | ScalarSelect[int]) -> Insert:
    """All columns but an automatic id, each under its own name, or what stands `instead`."""
    names = [column.name for column in table.columns if column.name != "id"]
    values = {name: instead.get(name, bindparam(name)) for name in names}
    return insert(table).values(values).inline()


def upsert_into(
    table: Table, *keys: str, **instead: ColumnElement[int] | ScalarSelect[int]
) -> Insert:
    """`insert_into`, or overwrite the row that has these keys already."""
    statement = insert_into(table, **instead)
    others = [c.name for c in table.columns if c.name != "id" and c.name not in keys]
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: statement.excluded[name] for name in others},
    )
