"""A store with many pairs: copies of one that syncd made itself, row by row and table by table.

The copies' tickets are on no desk, and nothing is due: what they cost is what the daemon pays for
pairs that are left alone. Reads the store's own schema, and writes SQL of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

#: Above every id that a daemon gave so far.
_FIRST = 1_000_000


def multiply(path: Path, *, pairs: int) -> None:
    """Copy the store's first pair until there are `pairs`; the daemon must not run."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        (held,) = connection.execute("SELECT count(*) FROM pair").fetchone()
        _copy_all(connection, count=pairs - held)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def counts(path: Path) -> dict[str, int]:
    """Rows by table."""
    connection = sqlite3.connect(path)
    try:
        names = ("pair", "ticket", "comment", "comment_map")
        found = (
            connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in names
        )
        return dict(zip(names, found, strict=True))
    finally:
        connection.close()


def _copy_all(connection: sqlite3.Connection, *, count: int) -> None:
    (template,) = connection.execute("SELECT min(id) FROM pair").fetchone()
    connection.execute("CREATE TEMP TABLE number AS SELECT value AS n FROM json_each('[]')")
    connection.executemany("INSERT INTO number VALUES (?)", ((n,) for n in range(count)))
    tickets = connection.execute(
        "SELECT ticket.id, ticket.ticket_id FROM pair_ticket JOIN ticket"
        " USING (connection_ref, ticket_id) WHERE pair_id = ?",
        (template,),
    ).fetchall()
    of_pair = {"pair_id": f"{_FIRST} + n"}
    _copy(connection, "pair", f"id = {template}", {"id": f"{_FIRST} + n"})
    for table in ("base", "comment_map", "operation", "timeline"):
        _copy(connection, table, f"pair_id = {template}", of_pair)
    for index, (ref, ticket_id) in enumerate(tickets):
        new_ref, new_id = f"{_FIRST} + 2 * n + {index}", f"'9' || (10000000 + n) || '{index}'"
        _copy(connection, "ticket", f"id = {ref}", {"id": new_ref, "ticket_id": new_id})
        _copy(connection, "comment", f"ticket_ref = {ref}", {"ticket_ref": new_ref})
        where = f"pair_id = {template} AND ticket_id = '{ticket_id}'"
        _copy(connection, "pair_ticket", where, {**of_pair, "ticket_id": new_id})


def _copy(
    connection: sqlite3.Connection, table: str, where: str, changed: Mapping[str, str]
) -> None:
    """Copy the template's rows of a table once for every number; `changed` are SQL expressions."""
    columns = [
        name
        for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")
        if name != "id" or "id" in changed
    ]
    shown = ", ".join(changed.get(name, f"{table}.{name}") for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - all of it is ours
        f" SELECT {shown} FROM {table}, number WHERE {where} ORDER BY n"
    )
