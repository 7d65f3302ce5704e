"""What a token may do, as lines for a person: the server, its queues and their custom fields.

Pure: RT's answers come in. Which rights are missing only RT's own administrator can see, see
`examination`; what REST shows to be missing has its command all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.request_tracker import commands, wire
from connectors.request_tracker.needs import OF_TRANSACTION, Field, Needs
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


def check_queues(needs: Needs, found: Mapping[str, wire.Queue]) -> tuple[CheckResult, ...]:
    """The followed queues, and the custom fields that each of them needs."""
    missing = [name for name in needs.all_queues() if name not in found]
    queues = _result(
        "queues",
        missing,
        fine=", ".join(_line(name) for name in found) or "none",
        hint="Let syncd's user see these queues, or mend the names in the file. The commands grant"
        " the user all that syncd needs in them, and make no queue.",
        remedy="\n".join(commands.grant(needs.user, list(needs.rights(q)), q) for q in missing),
    )
    return (queues, *(_check_field(field, found) for field in needs.fields))


def _check_field(field: Field, found: Mapping[str, wire.Queue]) -> CheckResult:
    is_stamp = field.lookup == OF_TRANSACTION
    lacking = [
        name
        for name, queue in found.items()
        if field.name not in _names(queue.transaction_fields if is_stamp else queue.ticket_fields)
    ]
    kind = "transaction" if is_stamp else "ticket"
    lost = "without it syncd writes no comment" if is_stamp else field.lost
    return _result(
        "stamp field" if is_stamp else f"field {field.name}",
        lacking,
        fine=field.name if is_stamp else "there",
        hint=f"Apply the {kind} custom field {field.name!r} to these queues, and let syncd's user"
        f" see it (SeeCustomField): {lost}. The command applies it, and makes it where there is"
        " none.",
        remedy=commands.apply_field(field, lacking) if lacking else "",
    )


def check_views(settings: Settings, policies: Sequence[LinkPolicy]) -> tuple[CheckResult, ...]:
    """Whether the views of links are queues that are followed."""
    unknown = [policy.view for policy in policies if policy.view not in settings.queues]
    if not policies:
        return ()
    hint = "Name these queues in the connection's `queues`, or mend the links' views."
    return (_result("views", unknown, fine="all followed", hint=hint),)


def _result(
    name: str, lacking: Iterable[str], *, fine: str, hint: str, remedy: str = ""
) -> CheckResult:
    shown = ", ".join(_line(one) for one in lacking)
    return CheckResult(
        name=name,
        is_ok=not shown,
        message=f"missing: {shown}" if shown else fine,
        hint=hint if shown else "",
        remedy=remedy,
    )


def _names(fields: Iterable[wire.FieldName]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


def _numbers(version: str) -> tuple[int, ...]:
    plain = version.partition("+")[0].partition("-")[0]
    return tuple(int(part) for part in plain.split(".") if part.isdecimal())


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:200]
