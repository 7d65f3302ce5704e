"""Brings a file's schema up to date, or refuses it.

New files are made by the very same migrations as old ones are changed by. Each run is one
transaction: a crash leaves the old schema whole. Alembic is loaded only when there is something to
do.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

from syncd import __version__
from syncd.core.errors import StoreTooNew, StoreUnavailable

#: Told the revision of a file with data in it, before that changes; what it raises stops all.
Before = Callable[[str], None]

#: Every revision under `migrations/versions`, oldest first.
REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"),
    *("0011", "0012"),
)


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
        raise _too_new(connection, revision, path=path)
    return revision


def _too_new(connection: sqlite3.Connection, revision: str, *, path: Path) -> StoreTooNew:
    """With the syncd that can open it, and the way back to this one."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    made_by = named = ""
    # Between two releases, a schema may be newer than its version.
    if number > _version_number():
        maker = f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
        made_by, named = f" by syncd {maker}", f", syncd {maker} or later,"
    return StoreTooNew(
        f"{path}: has schema {revision}{made_by}; this is syncd {__version__}, and knows schemas up"
        f" to {REVISIONS[-1]}",
        hint=f"Start the newer version{named} again. To stay with this one: `syncd restore` the"
        f" copy that the upgrade left beside it ({path.name}.schema-...), or a backup made by this"
        " version; then `syncd recover`.",
    )


def _version_number() -> int:
    """This syncd's version as SQLite keeps it for whoever cannot open the file."""
    major, minor, patch = (int(part) for part in re.findall(r"\d+", __version__)[:3])
    return major * 1_000_000 + minor * 1_000 + patch


def require_newest(connection: sqlite3.Connection, *, path: Path) -> None:
    """Refuse a file with another schema, for whoever may not change it."""
    revision = revision_of(connection, path=path)
    if revision != REVISIONS[-1]:
        raise StoreUnavailable(
            f"{path}: has schema {revision}, this syncd reads {REVISIONS[-1]}",
            hint="Start `syncd run` once; it brings the store up to date.",
        )


def migrate(connection: sqlite3.Connection, *, path: Path, before: Before | None = None) -> None:
    """Bring the schema to the newest revision; two processes may try at once.

    `before` has the file to itself, as it is.
    """
    if revision_of(connection, path=path) == REVISIONS[-1]:
        return
    # A table is changed by copying and dropping it, which must not take its referrers along.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        _upgrade(connection, path=path, before=before)
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _upgrade(connection: sqlite3.Connection, *, path: Path, before: Before | None) -> None:
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
            revision = revision_of(connection, path=path)
            if revision != REVISIONS[-1]:
                if before is not None and revision is not None:
                    before(revision)
                config.attributes["connection"] = held
                command.upgrade(config, "head")
                held.exec_driver_sql(f"PRAGMA user_version = {_version_number()}")
            held.commit()
    except DBAPIError as error:
        raise (error.orig or error) from error
