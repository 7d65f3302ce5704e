"""The schema: made by migrations, equal to the tables, never younger than the program."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from syncd.core.errors import StoreTooNew, StoreUnavailable
from syncd.store import open_reader, open_store
from syncd.store.file import connect_writer, create
from syncd.store.migrate import REVISIONS, migrate, revision_of
from syncd.store.tables import METADATA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


def a_connection(path: Path) -> sqlite3.Connection:
    create(path)
    return connect_writer(path, busy_timeout_seconds=5, is_durable=False)


def a_migrated_file(path: Path) -> None:
    connection = a_connection(path)
    migrate(connection, path=path)
    connection.close()


def set_revision(path: Path, revision: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_the_migrations_make_the_schema_of_the_tables(path: Path) -> None:
    a_migrated_file(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_migrations_make_the_constraints_and_conditions_of_the_tables(
    path: Path, tmp_path: Path
) -> None:
    def schema(file: Path) -> set[tuple[str, ...]]:
        connection = sqlite3.connect(file)
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
        ).fetchall()
        connection.close()
        # Constraints may come in any order.
        return {tuple(sorted(re.findall(r"[\w'\"<>!=]+", sql))) for (sql,) in rows}

    a_migrated_file(path)
    other = tmp_path / "metadata.db"
    engine = create_engine(f"sqlite:///{other}")
    METADATA.create_all(engine)
    engine.dispose()
    assert schema(path) == schema(other)


def test_every_script_is_known_by_its_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "syncd.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    oldest_first = [script.revision for script in scripts.walk_revisions()][::-1]
    assert tuple(oldest_first) == REVISIONS


def test_an_up_to_date_schema_is_left_alone(path: Path) -> None:
    a_migrated_file(path)
    connection = a_connection(path)
    before = connection.total_changes
    migrate(connection, path=path)
    assert connection.total_changes == before
    connection.close()


def test_foreign_keys_hold_after_a_migration(path: Path) -> None:
    connection = a_connection(path)
    migrate(connection, path=path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO base (pair_id, tags) VALUES (7, '')")
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    connection.close()


def test_a_migration_that_fails_half_way_leaves_nothing_behind(path: Path) -> None:
    def refuse_last_table(action: int, name: str | None, *_: object) -> int:
        is_last = action == sqlite3.SQLITE_CREATE_TABLE and name == "timeline"
        return sqlite3.SQLITE_DENY if is_last else sqlite3.SQLITE_OK

    connection = a_connection(path)
    connection.set_authorizer(refuse_last_table)
    with pytest.raises(sqlite3.DatabaseError):
        migrate(connection, path=path)
    connection.set_authorizer(None)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate(connection, path=path)
    assert revision_of(connection, path=path) == REVISIONS[-1]
    connection.close()


def test_processes_that_migrate_at_once_do_it_once(path: Path) -> None:
    program = "import sys; from syncd.store import open_store; open_store(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", program, path]) for _ in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]


def test_a_file_of_a_newer_syncd_is_refused(path: Path) -> None:
    a_migrated_file(path)
    set_revision(path, "9999")
    with pytest.raises(StoreTooNew) as refused:
        open_store(path)
    assert "9999" in str(refused.value)
    with pytest.raises(StoreTooNew):
        open_reader(path)


def test_a_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE diary (text TEXT)")
    connection.close()
    with pytest.raises(StoreUnavailable) as refused:
        open_store(path)
    assert "store:" in refused.value.hint
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("diary",)]
    connection.close()
