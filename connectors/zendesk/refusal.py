"""What a refusal of Zendesk's says that may be repeated: its code and the names of fields.

Descriptions quote what was sent, so none is passed on; known cases get our own words.
Envelopes differ: https://developer.zendesk.com/api-reference/introduction/requests/#response-format
"""

from __future__ import annotations

import msgspec

from connectors.http import Explanation, Meaning
from connectors.zendesk import wire
from syncd.core.errors import Refusal

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
_FULL = (
    "Zendesk holds 5,000 comments on this ticket and takes no more; close it there and go on in a"
    " follow-up."
)
_SUSPENDED = (
    "The ticket's requester or the comment's author is suspended in Zendesk; end the suspension in"
    " the user's profile there, or give the ticket another requester, then `syncd retry PAIR`."
)
_ASSIGNEE = (
    "Zendesk solves no ticket without an assignee: assign it there, or name an `assignee` in the"
    " link's `partner`."
)
_UNSOLVABLE = "Zendesk wants the required fields filled in before this ticket may be solved."
#: Also for one that is known to be unusable before it is sent.
CUSTOM_STATUS = (
    "Zendesk does not take this custom status: see in the Admin Center that it is active and in"
    " which category it is, and compare with the connection's `custom_statuses`."
)
#: Kept short: nobody reads more, and each costs a look-up.
_MOST_FIELDS = 5


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
    refusal, hint = _verdict(details)
    said = " ".join(str(row.get("description")) for row in _rows(details)).lower()
    return Explanation(
        code=code,
        fields=tuple(map(str, details)),
        hint=_HINTS.get(code or "", "") or hint,
        refusal=refusal,
        # The fields do not tell; the words do.
        meaning=Meaning.SPENT if "upload" in said and "invalid" in said else None,
        lacks=_lacking(details) if refusal is Refusal.STATUS else (),
    )


def _rows(details: wire.Loose) -> list[wire.Loose]:
    rows = [row for value in details.values() if isinstance(value, list) for row in value]
    return [row for row in rows if isinstance(row, dict)]


def _verdict(details: wire.Loose) -> tuple[Refusal, str]:
    """What is refused, and our words for it.

    The field may be named or `base`, so the words tell as well; an unknown complaint about a field
    of the ticket is one about the status, because nothing else that we write depends on fields.
    """
    rows = _rows(details)
    said = " ".join(str(row.get("description")) for row in rows).lower()
    if "closed prevents" in said:
        return Refusal.OTHER, _CLOSED
    if "5000" in said or "5,000" in said:
        return Refusal.COMMENT_LIMIT, _FULL
    if "suspended" in said or any(row.get("error") == "UserSuspended" for row in rows):
        return Refusal.SUSPENDED, _SUSPENDED
    if "custom_status_id" in details:
        return Refusal.STATUS, CUSTOM_STATUS
    if "assignee" in said:
        return Refusal.STATUS, _ASSIGNEE
    is_about_fields = "status" in details or any("ticket_field_id" in row for row in rows)
    if is_about_fields or "needed" in said or "required" in said:
        return Refusal.STATUS, _UNSOLVABLE
    return Refusal.OTHER, ""


def _lacking(details: wire.Loose) -> tuple[str, ...]:
    ids = [str(row["ticket_field_id"]) for row in _rows(details) if "ticket_field_id" in row]
    return tuple(
        dict.fromkeys(number for number in ids if number.isascii() and number.isdecimal())
    )[:_MOST_FIELDS]
