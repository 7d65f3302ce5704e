"""What a refusal of Zendesk's says that may be repeated: its code and the names of fields.

Descriptions quote what was sent, so none is passed on; known cases get our own words.
Envelopes differ: https://developer.zendesk.com/api-reference/introduction/requests/#response-format
"""

from __future__ import annotations

import msgspec

from connectors.http import Explanation
from connectors.zendesk import wire

_HINTS = {
    "IdempotentRequestError": "Another ticket was created under this key; look for a ticket with"
    " this pair's external id in Zendesk.",
    "StartTimeTooRecent": "The clock of the desk jumped; syncd tries again by itself.",
    "InvalidEndpoint": "Compare the connection's `subdomain` or `url` with the account's address.",
    "invalid_client": "Compare `oauth.client_id` and `oauth.client_secret` with the OAuth client in"
    " Zendesk's Admin Center.",
    "invalid_scope": "Give the OAuth client the scopes that `oauth.scope` asks for.",
    "Forbidden": "Exports and imports need an admin; give the credential's user that role, and the"
    " OAuth client the scopes read and write.",
}
_CLOSED = "The ticket is closed in Zendesk for good; open a follow-up there, or unlink the pair."
_FULL = "Zendesk holds 5,000 comments on this ticket and takes no more; open a follow-up there."
_UNSOLVABLE = "Zendesk wants an assignee and the required fields before a ticket may be solved."


def explain(status: int, body: bytes) -> Explanation:
    """The names in an error body; an empty explanation for anything else."""
    del status
    try:
        error = wire.decode(body, wire.ErrorBody)
    except msgspec.MsgspecError:
        return Explanation()
    code = error.error.get("title") if isinstance(error.error, dict) else error.error
    code = code if isinstance(code, str) else None
    details = error.details if isinstance(error.details, dict) else {}
    hint = _HINTS.get(code or "", "") or _hint_for(_descriptions(details))
    return Explanation(code=code, fields=tuple(map(str, details)), hint=hint)


def _descriptions(details: wire.Loose) -> str:
    rows = [row for value in details.values() if isinstance(value, list) for row in value]
    return " ".join(str(row.get("description")) for row in rows if isinstance(row, dict)).lower()


def _hint_for(said: str) -> str:
    # The field may be `status` or `base`, so only the words tell.
    if "closed prevents" in said:
        return _CLOSED
    if "5000" in said or "5,000" in said:
        return _FULL
    return _UNSOLVABLE if "needed" in said or "required" in said or "assignee" in said else ""
