"""What a job's results say of each row: made, updated, refused, or nothing.

Rows come in any order, and those of a refusal name their place in the request. Pure.
"""

from __future__ import annotations

from connectors.http import Explanation, Meaning
from connectors.zendesk import wire
from connectors.zendesk.refusal import explain
from syncd.core.errors import Gone, Rejected, RemoteError, Stale, UploadSpent
from syncd.core.model import ConnectionName

_IMPORT = "import tickets"
_UPDATE = "update ticket"
_CONFLICT = "UpdateConflict"
_MISSING = "RecordNotFound"


def created_ids(job: wire.Job) -> list[str]:
    """The tickets that a job created; the rows of other kinds of jobs name an action."""
    rows = (row for row in job.rows if "action" not in row)
    return [str(row["id"]) for row in rows if row.get("id") and row.get("success") is not False]


def tells_all(job: wire.Job) -> bool:
    """Whether it can be read what became of every row; an unreadable one may have made a ticket."""
    rows = job.rows
    return (
        isinstance(job.results, list) and len(rows) == len(job.results) and all(map(_tells, rows))
    )


def _tells(row: wire.Loose) -> bool:
    is_made = isinstance(row.get("id"), int | str) and bool(row["id"])
    return is_made or "action" in row or bool(row.get("error")) or row.get("success") is False


def refusals(job: wire.Job, name: ConnectionName) -> dict[int, RemoteError]:
    """The rows that the desk clearly refused, by their place in the request: those that it gives a
    reason for which we can read. Of the others nothing is known.
    """
    found: dict[int, RemoteError] = {}
    for row in job.rows:
        place = row.get("index")
        if not isinstance(place, int) or not (row.get("error") or row.get("success") is False):
            continue
        explanation = explain(0, str(row.get("details") or "").encode())
        if explanation.code is not None:
            found[place] = _refusal(explanation, name, _IMPORT)
    return found


def updated_ids(job: wire.Job) -> frozenset[str]:
    """The tickets that a job says it updated."""
    return frozenset(
        str(row["id"])
        for row in job.rows
        if row.get("id")
        and not row.get("error")
        and (row.get("success") is True or row.get("status") == "Updated")
    )


def update_refusals(job: wire.Job, name: ConnectionName) -> dict[str, RemoteError]:
    """The updates that the desk clearly refused, by their ticket; of any other row that does not
    say that it was done, nothing is known.
    """
    found: dict[str, RemoteError] = {}
    for row in job.rows:
        if not row.get("id") or not (row.get("error") or row.get("success") is False):
            continue
        explanation = explain(0, str(row.get("details") or "").encode())
        code = explanation.code or row.get("error")
        if code == _CONFLICT:
            error: RemoteError = Stale("changed meanwhile", connection=name, action=_UPDATE)
        elif code == _MISSING:
            error = Gone("no such ticket", connection=name, action=_UPDATE)
        elif explanation.code is not None:
            error = _refusal(explanation, name, _UPDATE)
        else:
            continue
        found[str(row["id"])] = error
    return found


def _refusal(explanation: Explanation, name: ConnectionName, action: str) -> RemoteError:
    words = ", ".join(filter(None, ("refused", explanation.code, *explanation.fields)))
    if explanation.meaning is Meaning.SPENT:
        return UploadSpent(words, connection=name, action=action)
    return Rejected(
        words,
        connection=name,
        action=action,
        field=next(iter(explanation.fields), None),
        hint=explanation.hint,
        refusal=explanation.refusal,
        lacks=explanation.lacks,
    )
