"""What a job's results say of each row: made, refused, or nothing.

Rows come in any order, and those of a refusal name their place in the request. Pure.
"""

from __future__ import annotations

from connectors.http import Explanation, Meaning
from connectors.zendesk import wire
from connectors.zendesk.refusal import explain
from syncd.core.errors import Rejected, RemoteError, UploadSpent
from syncd.core.model import ConnectionName

_ACTION = "import tickets"


def created_ids(job: wire.Job) -> list[str]:
    """The tickets that a job created; the rows of other kinds of jobs name an action."""
    rows = (row for row in job.rows if "action" not in row)
    return [str(row["id"]) for row in rows if row.get("id") and row.get("success") is not False]


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
            found[place] = _refusal(explanation, name)
    return found


def _refusal(explanation: Explanation, name: ConnectionName) -> RemoteError:
    words = ", ".join(filter(None, ("refused", explanation.code, *explanation.fields)))
    if explanation.meaning is Meaning.SPENT:
        return UploadSpent(words, connection=name, action=_ACTION)
    return Rejected(
        words,
        connection=name,
        action=_ACTION,
        field=next(iter(explanation.fields), None),
        hint=explanation.hint,
        refusal=explanation.refusal,
        lacks=explanation.lacks,
    )
