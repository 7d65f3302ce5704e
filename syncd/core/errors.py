"""Errors, named by what to do next; every one carries a hint for a person.

    SyncdError
    ├── ConfigError            mend the file: all problems at once
    ├── RemoteError            a desk answered otherwise than hoped
    │   ├── Transient          come back later
    │   │   ├── Unreachable    nothing left this machine, or a read got no answer
    │   │   └── RateLimited    come back at `retry_at`, the whole connection
    │   ├── OutcomeUnknown     a write left and no answer came: find it before writing again
    │   ├── Stale              the ticket moved: refresh, plan again
    │   ├── Rejected           the desk refuses this write: park with the hint
    │   ├── UploadSpent        an uploaded file is no more: upload it again
    │   ├── Gone               no such ticket any more
    │   ├── Unauthorised       pause the connection; its pairs are not to blame
    │   └── Unintelligible     not an answer as documented: park, never guess
    ├── Unauthentic            a webhook that its sender did not sign
    ├── LeaseLost              another run owns the pair: stop, write nothing
    └── StoreError             stop the process; a supervisor starts it again
        ├── StoreTooNew        a newer syncd wrote this file: run that one
        └── StoreUnavailable   disk full, locked or read-only: mend, start again

What follows from each is one table, `core/reaction.py`.
Messages hold names, numbers and ids, never a ticket's text, an address or a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class SyncdError(Exception):
    """Something that a person may have to know; `hint` says what they can do."""

    default_hint: ClassVar[str] = "See docs/operations.md."

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong in a file: where (1-based line and column, path inside the document) and what
    to do.
    """

    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    path: str = ""
    hint: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        parts = [part for part in (place, self.path, self.message) if part]
        return ": ".join(parts) + (f" ({self.hint})" if self.hint else "")


class ConfigError(SyncdError):
    """The configuration cannot be used; `problems` lists everything found, in file order."""

    default_hint = "Mend the lines above, then run `syncd check`."

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class RemoteError(SyncdError):
    """A desk did not do what was asked."""

    def __init__(
        self,
        message: str,
        *,
        connection: str,
        action: str,
        status: int | None = None,
        request_id: str | None = None,
        hint: str = "",
    ) -> None:
        about = f" (HTTP {status})" if status is not None else ""
        super().__init__(f"{connection}: {action}: {message}{about}", hint=hint)
        self.connection = connection
        self.action = action
        self.status = status
        self.request_id = request_id


class Transient(RemoteError):
    """Nothing was written; the same may work later."""

    default_hint = "syncd tries again by itself."


class Unreachable(Transient):
    """No connection, or a read without an answer."""

    default_hint = "Check the desk's status page and the network; syncd tries again by itself."


class RateLimited(Transient):
    """The desk asked to wait until `retry_at` (aware UTC)."""

    default_hint = (
        "syncd waits as the desk asked; lower the connection's budget share if this repeats."
    )

    def __init__(
        self,
        message: str,
        *,
        retry_at: datetime,
        connection: str,
        action: str,
        status: int | None = 429,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, connection=connection, action=action, status=status, request_id=request_id
        )
        self.retry_at = retry_at


class OutcomeUnknown(RemoteError):
    """A write left and its answer did not come, or says nothing about whether it landed."""

    default_hint = "syncd looks for the write before it writes again."


class Stale(RemoteError):
    """The ticket changed since it was read; nothing was written."""

    default_hint = "syncd reads the ticket again and plans anew."


class Refusal(StrEnum):
    """What a desk refuses, as far as it says; the word is a parked pair's reason."""

    OTHER = "refused"
    #: The status alone: what came with it may go without.
    STATUS = "status_refused"
    #: The ticket holds as many comments as it can.
    COMMENT_LIMIT = "comment_limit"
    #: Somebody whom the write names may not act on that desk any more.
    SUSPENDED = "user_suspended"


class Rejected(RemoteError):
    """The desk understood and refuses; nothing was written. `field` names the culprit if it was
    named; `lacks` are the fields that the desk wants filled in first, as people there call them.
    """

    default_hint = "Read the reason, mend the ticket or the mapping, then `syncd retry PAIR`."

    def __init__(
        self,
        message: str,
        *,
        connection: str,
        action: str,
        status: int | None = None,
        request_id: str | None = None,
        field: str | None = None,
        hint: str = "",
        refusal: Refusal = Refusal.OTHER,
        lacks: tuple[str, ...] = (),
    ) -> None:
        super().__init__(
            message,
            connection=connection,
            action=action,
            status=status,
            request_id=request_id,
            hint=hint,
        )
        self.field = field
        self.refusal = refusal
        self.lacks = lacks


class UploadSpent(RemoteError):
    """The desk does not have a file that the write was to attach; nothing was written."""

    default_hint = "syncd uploads the file again, or sends the text without it."


class Gone(RemoteError):
    """The ticket does not exist any more."""

    default_hint = "The ticket was deleted on its desk; `syncd parked` shows its twin."


class Unauthorised(RemoteError):
    """The credential was refused, or lacks a right."""

    default_hint = "Renew the connection's credential, then `syncd check --online`."


class Unintelligible(RemoteError):
    """The answer is not what the desk documents."""

    default_hint = (
        "A proxy or maintenance page may be in between; compare with the desk's API notes."
    )


class Unauthentic(SyncdError):
    """A webhook without a valid, fresh signature."""

    default_hint = (
        "Compare the webhook's secret on the desk with the connection's `webhook_secret`."
    )


class LeaseLost(SyncdError):
    """Another run owns this pair now."""

    default_hint = "Nothing to do: the other run goes on."


class StoreError(SyncdError):
    """The store cannot be trusted with the next write."""

    default_hint = "See docs/operations.md, 'The store'."


class StoreTooNew(StoreError):
    """The file was written by a newer syncd."""

    default_hint = "Start the newer version again, or restore a backup made by this one."


class StoreOlder(StoreError):
    """The store does not know what was written last: a backup, or a file that lost its tail."""

    default_hint = (
        "`syncd recover` looks at both desks first, so that nothing is written twice; then start"
        " syncd again."
    )


class StoreUnavailable(StoreError):
    """The file cannot be written: full disk, lock or permissions."""

    default_hint = "Free the disk or the lock, check the file's owner, then start syncd again."
