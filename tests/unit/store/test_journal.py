"""The journal outlives upgrades: an older syncd's is read, a newer one's is refused."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from syncd.core.errors import StoreTooNew
from syncd.core.operations import Operation
from syncd.store.journal import VERSION, intent_values, to_intent
from tests.support.build import (
    PARTNER,
    a_creation,
    a_draft,
    a_restriction,
    an_intent,
    an_update,
)


def a_row(values: dict[str, object]) -> sqlite3.Row:
    """The values as SQLite would give them back."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    columns = ", ".join(f":{name} AS {name}" for name in values)
    row: sqlite3.Row = connection.execute(f"SELECT {columns}", values).fetchone()
    connection.close()
    return row


def a_stored_intent(operation: Operation, **changes: Any) -> sqlite3.Row:
    values = {**intent_values(1, an_intent(operation)), "connection": PARTNER}
    payload = json.loads(str(values["payload"]))
    return a_row({**values, "payload": json.dumps({**payload, **changes})})


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (a_creation(), "create_ticket"),
        (an_update(), "update_ticket"),
        (a_restriction(), "restrict_comment"),
    ],
)
def test_a_kind_keeps_its_name(operation: Operation, kind: str) -> None:
    row = a_stored_intent(operation)
    assert (row["kind"], json.loads(row["payload"])["kind"]) == (kind, kind)
    assert to_intent(row) == an_intent(operation)


def test_a_field_that_came_later_has_its_default() -> None:
    row = a_stored_intent(
        an_update(),
        op={"op_id": "op-update", "side": "partner", "ticket_id": "9001"},
    )
    assert to_intent(row) == an_intent(an_update())


def test_a_field_that_is_gone_is_passed_over() -> None:
    row = a_stored_intent(an_update(), forgotten=1)
    assert to_intent(row) == an_intent(an_update())


def test_a_journal_of_a_newer_version_is_refused() -> None:
    with pytest.raises(StoreTooNew):
        to_intent(a_stored_intent(an_update(), version=VERSION + 1))


def test_a_payload_is_no_secret_to_a_person_with_the_file() -> None:
    row = a_stored_intent(an_update(comment=a_draft("<p>Grüße</p>")))
    assert json.loads(row["payload"])["op"]["comment"]["html"] == "<p>Grüße</p>"


# Threads read their first intents at the very same time, and change places all the while. A process
# has one first time, so what msgspec has learnt of a type since the imports is taken from it again.
_FIRST_READS = """
import sys, threading
from syncd.core.operations import CreateTicket, Draft, RestrictComment, UpdateTicket
from tests.support.build import a_creation, a_restriction, an_intent, an_update
from tests.unit.store.test_journal import a_stored_intent, to_intent

operations = [an_update(), a_creation(), a_restriction()]
rows = [a_stored_intent(operation) for operation in operations]
wanted = [an_intent(operation) for operation in operations]
sys.setswitchinterval(1e-6)

def first():
    together.wait()
    read.append([to_intent(row) for row in rows])

for _ in range(200):
    for kind in (CreateTicket, Draft, RestrictComment, UpdateTicket):
        if "__msgspec_cache__" in vars(kind):
            del kind.__msgspec_cache__
    together, read = threading.Barrier(8), []
    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [wanted] * 8
"""


def test_many_threads_that_read_first_of_all_do_not_end_the_process() -> None:
    """As after a death in the middle of several writes: two threads of which each has msgspec learn
    the same type are a segmentation fault.
    """
    command = [sys.executable, "-c", _FIRST_READS]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
