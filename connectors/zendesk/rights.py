"""Which rights each thing that syncd does needs, and which of them a credential has.

Pure. A scope of a resource (`tickets:read`) does for its broad one (`read`) and the other way
round is never asked for. Impersonation by `author_id` needs no scope of its own: `impersonate`
is for requests in an end user's name, which syncd never makes.
https://developer.zendesk.com/api-reference/ticketing/oauth/oauth_tokens/#scopes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.zendesk.settings import Settings
from syncd.ports import CheckResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """Something that syncd does, and what it takes; any of `scopes` is enough."""

    name: str
    scopes: tuple[str, ...]
    needs_admin: bool = False
    #: What does not work without it, where the rest does.
    lost: str = ""


_TICKETS_READ = ("read", "tickets:read")
_TICKETS_WRITE = ("write", "tickets:write")


def needed(settings: Settings) -> tuple[Right, ...]:
    """The rights that a connection needs as it is configured."""
    return (
        Right(name="read tickets", scopes=_TICKETS_READ),
        Right(name="write tickets", scopes=_TICKETS_WRITE),
        Right(name="read people", scopes=("read", "users:read")),
        *_of_feed(settings),
        Right(
            name="import tickets",
            scopes=_TICKETS_WRITE,
            needs_admin=True,
            lost="a backfill cannot create tickets silently",
        ),
        Right(
            name="read triggers",
            scopes=("read", "triggers:read"),
            lost="nobody can say whether triggers mail customers",
        ),
        Right(
            name="read automations",
            scopes=("read", "automations:read"),
            lost="nobody can say whether automations mail customers",
        ),
    )


def judge(
    rights: Sequence[Right], *, scopes: Sequence[str] | None, role: str | None
) -> tuple[CheckResult, ...]:
    """One line for each right: what it needs, what is there, what to do.

    `scopes` is None for a credential without any (an API token), which may do what its user may.
    """
    return tuple(_judged(right, scopes, role) for right in rights)


def _of_feed(settings: Settings) -> tuple[Right, ...]:
    if settings.feed != "exports":
        return ()
    return (Right(name="read changes", scopes=_TICKETS_READ, needs_admin=True),)


def _judged(right: Right, scopes: Sequence[str] | None, role: str | None) -> CheckResult:
    has_scope = scopes is None or not set(scopes).isdisjoint(right.scopes)
    has_role = role == "admin" or not right.needs_admin
    needs = [] if scopes is None else [" or ".join(right.scopes)]
    has = [] if scopes is None else [_shown(scopes)]
    if right.needs_admin:
        needs.append("an admin")
        has.append(f"the role {role or 'nobody'}")
    message = f"needs {' and '.join(needs) or 'any agent'}; has {' and '.join(has) or 'one'}"
    todo = []
    if not has_scope:
        todo.append(f"Add {right.scopes[-1]} to `oauth.scope`, and allow it in the OAuth client.")
    if not has_role:
        todo.append("Make the credential's user an admin.")
    if todo and right.lost:
        todo.append(f"Until then {right.lost}.")
    return CheckResult(
        name=f"right to {right.name}",
        is_ok=not todo or bool(right.lost),
        message=message,
        hint=" ".join(todo),
    )


def _shown(scopes: Sequence[str]) -> str:
    # A vendor's words, but words: no control characters, no end.
    plain = ["".join(char for char in scope if char.isprintable()) for scope in scopes]
    return " ".join(plain)[:200] or "no scope"
