"""Brings a file's schema up to date, or refuses it.

New files are made by the very same migrations as old ones are changed by. Each run is one
transaction: a crash leaves the old schema whole. Alembic is loaded only when there is something to
do.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from syncd.core.errors import StoreTooNew, StoreUnavailable

#: Every revision under `migrations/versions`, oldest first.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")


def revision_of(connection: sqlite3.Connection, *, path: Path) -> str | None:
    """The schema's revision, None for an empty file; a newer syncd's raises `StoreTooNew`."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not names:
        return None
    if "alembic_version" not in names:
        raise StoreUnavailable(
            f"{path}: holds tables of another program",
            hint="Name another file under `store:`.",
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = None if row is None else str(row[0])
    if revision is not None and revision not in REVISIONS:
        raise StoreTooNew(f"{path}: has schema {revision}, this syncd knows up to {REVISIONS[-1]}")
    return revision


def require_newest(connection: sqlite3.Connection, *, path: Path) -> None:
    """Refuse a file with another schema, for whoever may not change it."""
    revision = revision_of(connection, path=path)
    if revision != REVISIONS[-1]:
        raise StoreUnavailable(
            f"{path}: has schema {revision}, this syncd reads {REVISIONS[-1]}",
            hint="Start `syncd run` once; it brings the store up to date.",
        )


def migrate(connection: sqlite3.Connection, *, path: Path) -> None:
    """Bring the schema to the newest revision; two processes may try at once."""
    if revision_of(connection, path=path) == REVISIONS[-1]:
        return
    # A table is changed by copying and dropping it, which must not take its referrers along.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        _upgrade(connection, path=path)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _upgrade(connection: sqlite3.Connection, *, path: Path) -> None:
    """Run the migrations that are missing in one transaction that shuts out everybody else."""
    # Not needed in the common case, and slow to load.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", "syncd.store:migrations")
    try:
        # Connecting ends whatever was begun before, so the transaction begins after it.
        with engine.connect() as held:
            held.exec_driver_sql("BEGIN EXCLUSIVE")
            # Another process may have done it while this one waited.
            if revision_of(connection, path=path) != REVISIONS[-1]:
                config.attributes["connection"] = held
                command.upgrade(config, "head")
            held.commit()
    except DBAPIError as error:
        raise (error.orig or error) from error
