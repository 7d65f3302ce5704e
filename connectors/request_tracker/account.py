"""What a token may do, as lines for a person: the server, its queues and their custom fields.

Pure: RT's answers come in. Which rights are missing only RT's own administrator can see, see
`syncd doctor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.request_tracker import wire
from connectors.request_tracker.settings import Settings
from syncd.core.errors import Unauthorised
from syncd.core.policy import LinkPolicy
from syncd.ports import CheckResult

_OLDEST = (5, 0, 3)


def check_server(server: wire.Server) -> tuple[CheckResult, ...]:
    """The token, and whether RT is new enough to take a status beside a comment."""
    version = _line(server.version)
    found = _numbers(server.version)
    is_new = found >= _OLDEST
    return (
        CheckResult(name="token", is_ok=True, message="accepted"),
        CheckResult(
            name="version",
            is_ok=is_new,
            message=f"Request Tracker {version}",
            hint="" if is_new else "syncd was tried with Request Tracker 5.0.3: update it.",
        ),
    )


def refused_account(error: Unauthorised) -> CheckResult:
    """What is left to say of a token that is not accepted."""
    return CheckResult(name="token", is_ok=False, message="not accepted", hint=error.hint)


def check_queues(settings: Settings, found: Mapping[str, wire.Queue]) -> tuple[CheckResult, ...]:
    """The followed queues, and the custom fields that each of them needs."""
    missing = [name for name in settings.followed if name not in found]
    stamps = [
        name
        for name, queue in found.items()
        if settings.stamp_field not in _names(queue.transaction_fields)
    ]
    results = [
        _result(
            "queues",
            missing,
            fine=", ".join(_line(name) for name in found) or "none",
            hint="Let syncd's user see these queues (SeeQueue, ShowTicket), or mend the names.",
        ),
        _result(
            "stamp field",
            stamps,
            fine=settings.stamp_field,
            hint=f"Apply the transaction custom field {settings.stamp_field!r} to these queues:"
            " without it syncd writes no comment.",
        ),
    ]
    for name in filter(None, (settings.tags_field, *settings.metadata)):
        lacking = [q for q, queue in found.items() if name not in _names(queue.ticket_fields)]
        hint = f"Apply the ticket custom field {name!r} to these queues, and let syncd's user see"
        results.append(_result(f"field {name}", lacking, fine="there", hint=f"{hint} it."))
    return tuple(results)


def check_views(settings: Settings, policies: Sequence[LinkPolicy]) -> tuple[CheckResult, ...]:
    """Whether the views of links are queues that are followed."""
    unknown = [policy.view for policy in policies if policy.view not in settings.queues]
    if not policies:
        return ()
    hint = "Name these queues in the connection's `queues`, or mend the links' views."
    return (_result("views", unknown, fine="all followed", hint=hint),)


def _result(name: str, lacking: Iterable[str], *, fine: str, hint: str) -> CheckResult:
    shown = ", ".join(_line(one) for one in lacking)
    return CheckResult(
        name=name,
        is_ok=not shown,
        message=f"missing: {shown}" if shown else fine,
        hint=hint if shown else "",
    )


def _names(fields: Iterable[wire.FieldName]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


def _numbers(version: str) -> tuple[int, ...]:
    plain = version.partition("+")[0].partition("-")[0]
    return tuple(int(part) for part in plain.split(".") if part.isdecimal())


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:200]
