"""Statements: SQL written with SQLAlchemy's expressions, compiled once, run on the bare driver.

Building and binding through SQLAlchemy costs more than SQLite itself; here that price is paid at import.
Values go in and come out as SQLite holds them; `rows` translates.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Table, bindparam, func, literal_column, select
from sqlalchemy.dialects.sqlite import Insert, dialect, insert
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.selectable import ScalarSelect

Values = Mapping[str, object]

_NOTHING: Values = {}
_DIALECT = dialect(paramstyle="named")


class Statement:
    """One SQL text with `:names`; every value is a parameter, none is baked in."""

    __slots__ = ("sql",)

    def __init__(self, clause: ClauseElement) -> None:
        compiled = clause.compile(dialect=_DIALECT)
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
        found: tuple[int, ...] = self._connection.execute(statement.sql, values).fetchone()
        return found[0]


def fixed(word: str) -> ColumnElement[str]:
    """A word of ours as part of the SQL itself, so that SQLite can match it with a partial index."""
    return literal_column(f"'{word}'")


def among(name: str) -> ScalarSelect[str]:
    """The values of a JSON array parameter: one statement for any number of them."""
    each = func.json_each(bindparam(name)).table_valued("value", name=f"each_{name}")
    return select(each.c.value).scalar_subquery()


def insert_into(table: Table) -> Insert:
    """All columns but an automatic id, each under its own name."""
    names = [c.name for c in table.columns if c.name != "id"]
    return insert(table).values({name: bindparam(name) for name in names})

