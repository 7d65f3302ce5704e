"""Store files with the schema of any release."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from syncd.store.file import connect_writer, create
from syncd.store.migrate import migrate


def a_connection(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made where there is none."""
    create(path)
    return connect_writer(path, busy_timeout_seconds=5, is_durable=False)


def a_migrated_file(path: Path, revision: str = "head") -> None:
    """Make the file with the schema of a revision, or bring it there."""
    connection = a_connection(path)
    if revision == "head":
        migrate(connection, path=path)
    else:
        config = Config()
        config.set_main_option("script_location", "syncd.store:migrations")
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        with engine.connect() as held:
            config.attributes["connection"] = held
            command.upgrade(config, revision)
            held.commit()
    connection.close()
