"""A look inside a private Request Tracker that costs its workers nothing, and a reply of its own.

What RT has committed is read from its SQLite file; the reply is the floor that times stand beside.
"""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

from syncd.cli.demo.request_tracker import RequestTracker

_BUSY_SECONDS = 10.0


class Inside:
    """The database of one running instance, and a ticket that syncd knows nothing of."""

    def __init__(self, folder: Path) -> None:
        file = folder / "var" / "rt.sqlite"
        self._rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        tokens = json.loads((folder / "tokens.json").read_text("utf-8"))
        self._people = RequestTracker(_direct(folder), tokens)
        self._people.make_queue("Floor")
        self._ticket_id = self._people.open(
            "root",
            queue="Floor",
            subject="floor",
            html="<p>floor</p>",
            requestor="root@localhost",
        )

    def close(self) -> None:
        """Let go of file and connections."""
        self._rows.close()
        self._people.close()

    def reply(self) -> None:
        """One public reply in a queue that nobody follows."""
        self._people.reply("root", self._ticket_id, "<p>As long as a reply takes.</p>")

    def has_said(self, text: str) -> bool:
        """Whether a comment with this text is committed."""
        query = (
            "SELECT 1 FROM Attachments a JOIN Transactions t ON t.id = a.TransactionId"
            " WHERE t.Type IN ('Correspond', 'Comment') AND a.Content LIKE ?"
        )
        return self._has(query, f"%{text}%")

    def has_value(self, text: str) -> bool:
        """Whether a custom field has this value."""
        query = "SELECT 1 FROM ObjectCustomFieldValues WHERE Disabled = 0 AND Content = ?"
        return self._has(query, text)

    def status(self, ticket_id: str) -> str:
        """The status of a ticket."""
        found = self._rows.execute("SELECT Status FROM Tickets WHERE id = ?", (ticket_id,))
        return str(found.fetchone()[0])

    def _has(self, query: str, value: str) -> bool:
        return self._rows.execute(f"{query} LIMIT 1", (value,)).fetchone() is not None


def _direct(folder: Path) -> str:
    """Where RT itself listens, as its chassis told when it was ready."""
    said = folder.with_name("request_tracker.log").read_text("utf-8")
    found = re.search(r'"direct": "([^"]+)"', said)
    if found is None:
        raise ValueError("Request Tracker did not say where it listens")
    return found[1]
