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
from syncd.store.migrate import REVISIONS, migrate, revision_of
from syncd.store.tables import METADATA
from tests.support.schemas import a_connection, a_migrated_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


#: Columns of the first schema's tickets that hold text or numbers, whatever these be.
_COLUMNS = (
    "subject", "status", "tags", "created_at", "updated_at", "precondition", "is_confirmed",
    "fields_as_of", "comments_as_of", "is_stale", "views", "metadata_json", "url", "end",
)  # fmt: skip


#: A pair of the fifth schema.
_PAIR_VALUES = {
    "id": 7, "link": "acme", "state": "active", "is_silent_birth": False, "linked_since": "",
    "marked_gen": 1, "done_gen": 1, "quiet_gen": 0, "tries": 0, "revision": 0, "reason": "",
    "hint": "",
}  # fmt: skip


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
        # Constraints may come in any order, and a table that was renamed has its name in quotes.
        words = (re.findall(r"[\w'<>!=]+", sql) for (sql,) in rows)
        return {tuple(sorted(each)) for each in words}

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


def test_a_hint_of_the_first_schema_is_a_hint_at_some_comment(path: Path) -> None:
    a_migrated_file(path, "0001")
    connection = a_connection(path)
    with connection:
        connection.execute("INSERT INTO connection (id, name) VALUES (1, 'acme')")
        connection.execute(
            "INSERT INTO person (id, connection_ref, person_id, name, role)"
            " VALUES (1, 1, '7', 'Ada', 'agent')"
        )
        for number, is_hinted in ((1, True), (2, False)):
            values = dict.fromkeys(_COLUMNS, "") | {
                "connection_ref": 1,
                "ticket_id": str(number),
                "requester_ref": 1,
                "is_comment_hinted": is_hinted,
            }
            names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(f"INSERT INTO ticket ({names}) VALUES ({places})", values)  # noqa: S608
    migrate(connection, path=path)
    found = connection.execute("SELECT ticket_id, hinted FROM ticket ORDER BY id").fetchall()
    assert [tuple(row) for row in found] == [("1", '["?"]'), ("2", "[]")]
    connection.close()


def test_earlier_deeds_are_found_by_what_they_were_about(path: Path) -> None:
    a_migrated_file(path, "0005")
    connection = a_connection(path)
    with connection:
        names = ", ".join(_PAIR_VALUES)
        places = ", ".join(f":{name}" for name in _PAIR_VALUES)
        connection.execute(f"INSERT INTO pair ({names}) VALUES ({places})", _PAIR_VALUES)  # noqa: S608
        for verb, about in (
            ("unpark", "pair 7"),
            ("release", "pair 7 partner comment 50"),
            ("unpark", "link acme"),
        ):
            connection.execute(
                "INSERT INTO audit_trail (at, actor, verb, object) VALUES ('', 'cli:mia', ?, ?)",
                (verb, about),
            )
    migrate(connection, path=path)
    found = connection.execute("SELECT verb, pair_id, link, reason FROM audit_trail").fetchall()
    assert [tuple(row) for row in found] == [
        ("retry", 7, "acme", None),
        ("release", 7, "acme", None),
        ("retry", None, "acme", None),
    ]
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
