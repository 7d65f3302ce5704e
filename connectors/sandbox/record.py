"""The request log: what reached the desk, in order, and what became of it.

Control requests are not in it. The numbering and the count of writes go on when the list is
emptied, so that a test can name "the seventh write" whatever it cleared before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from connectors.sandbox.call import Call


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request. `status` stays None when no answer was sent."""

    number: int
    method: str
    path: str
    template: str
    is_write: bool
    write_number: int | None
    query: tuple[tuple[str, str], ...] = ()
    status: int | None = None
    is_applied: bool = False
    user: str | None = None
    fault: str | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """The entry in the words of `GET /_sandbox/requests`."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "template": self.template,
            "query": [list(pair) for pair in self.query],
            "status": self.status,
            "write": self.is_write,
            "write_number": self.write_number,
            "applied": self.is_applied,
            "user": self.user,
            "fault": self.fault,
            "seconds": round(self.seconds, 6),
        }


class RequestLog:
    """Every API request since the last reset, oldest first; the oldest go beyond `limit`."""

    def __init__(self, *, limit: int = 100_000) -> None:
        self._limit = limit
        self._entries: list[Entry] = []
        self._counts: Counter[str] = Counter()
        self.request_count = 0
        self.write_count = 0
        self.applied_write_count = 0

    def open(self, call: Call) -> Entry:
        """Enter a request that has just come in."""
        self.request_count = call.number
        if call.is_write:
            self.write_count += 1
        entry = Entry(
            number=call.number,
            method=call.method,
            path=call.path,
            template=call.template,
            query=call.query,
            is_write=call.is_write,
            write_number=self.write_count if call.is_write else None,
        )
        self._entries.append(entry)
        self._counts[f"{call.method} {call.template or call.path}"] += 1
        if len(self._entries) > self._limit:
            del self._entries[: self._limit // 10]
        return entry

    def applied(self, entry: Entry) -> None:
        """Note that the request took effect."""
        entry.is_applied = True
        if entry.is_write:
            self.applied_write_count += 1

    def clear(self) -> None:
        """Empty the list and the counts by route; numbering and write counts go on."""
        self._entries.clear()
        self._counts.clear()

    def forget(self) -> None:
        """Start again as new, numbers included."""
        self.clear()
        self.request_count = self.write_count = self.applied_write_count = 0

    def since(self, number: int) -> list[Entry]:
        """Entries numbered above `number`, oldest first."""
        return [entry for entry in self._entries if entry.number > number]

    def as_json(self, since: int) -> dict[str, object]:
        """Counts over everything since the last clear, and the entries above `since`."""
        return {
            "total": self.request_count,
            "writes": self.write_count,
            "applied_writes": self.applied_write_count,
            "counts": dict(sorted(self._counts.items())),
            "requests": [entry.as_json() for entry in self.since(since)],
        }
