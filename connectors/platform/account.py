"""What a token may do, as lines for a person.

Pure: the answer to `GET /me` and the time come in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.platform import wire
from syncd.core.errors import Unauthorised
from syncd.ports import CheckResult

SCOPES = ("tickets:read", "tickets:write")
#: A minute is noise and waiting; more makes webhooks look stale.
ALLOWED_SKEW = timedelta(minutes=1)


def check_account(me: wire.Me, *, now: datetime) -> tuple[CheckResult, ...]:
    """Credential, scopes, views and clock, in this order; `now` is when the answer came."""
    return (
        CheckResult(name="token", is_ok=True, message=f"accepted as {_line(me.name)}"),
        _scopes(me),
        _views(me),
        _clock(me, now),
    )


def refused_account(error: Unauthorised) -> CheckResult:
    """What is left to say of a token that is not accepted."""
    return CheckResult(name="token", is_ok=False, message="not accepted", hint=error.hint)


def _scopes(me: wire.Me) -> CheckResult:
    missing = [scope for scope in SCOPES if scope not in me.scopes]
    return CheckResult(
        name="scopes",
        is_ok=not missing,
        message="missing: " + ", ".join(missing) if missing else "may read and write tickets",
        hint="Give the token these scopes on the platform." if missing else "",
    )


def _views(me: wire.Me) -> CheckResult:
    return CheckResult(
        name="views",
        is_ok=bool(me.views),
        message=", ".join(_line(view) for view in me.views) or "none",
        hint="" if me.views else "Give the token each link's view on the platform.",
    )


def _clock(me: wire.Me, now: datetime) -> CheckResult:
    skew = now - me.server_time
    is_ok = abs(skew) <= ALLOWED_SKEW
    seconds = round(abs(skew).total_seconds())
    direction = "behind" if skew < timedelta() else "ahead of"
    return CheckResult(
        name="clock",
        is_ok=is_ok,
        message="agrees" if is_ok else f"this machine is {seconds} s {direction} the platform",
        hint="" if is_ok else "Set both clocks by NTP: webhooks with an old time are refused.",
    )


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:200]
