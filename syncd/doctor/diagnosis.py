"""One thing that was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.doctor.ailments import AILMENTS, Severity


class Check(StrEnum):
    """What is looked at, in the order in which it is shown."""

    CONFIG = "configuration"
    SECRET = "secret"  # noqa: S105 - a check's name
    FILE = "files"
    STORE = "store"
    DISK = "disk"
    BACKUP = "backups"
    PROGRAM = "programs"
    DAEMON = "daemon"
    UNIT = "service"
    LINE = "line"
    TLS = "certificate"
    CLOCK = "clock"
    DESK = "desk"
    WEBHOOK = "webhook"
    BUDGET = "quota"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What is wrong, why it matters, and what mends it; or that all is well."""

    check: Check
    #: What it is about: a connection, a file, a key. Empty for the whole.
    subject: str = ""
    severity: Severity = Severity.OK
    #: The ailment's name in the docs; empty where all is well.
    code: str = ""
    message: str
    why: str = ""
    #: What a person does about it, in words.
    hint: str = ""
    #: The command that does it, where there is one.
    remedy: str = ""
    #: The connection that it is about; empty for those of this machine.
    connection: str = ""
    #: What the connection's own kind calls that which was looked at; empty for all others.
    name: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nobody has to act."""
        return self.severity in {Severity.OK, Severity.NOTE}


def well(check: Check, message: str, *, subject: str = "", connection: str = "") -> Diagnosis:
    """There is nothing to mend."""
    return Diagnosis(
        check=check, subject=subject or connection, message=message, connection=connection
    )


def ill(
    code: str,
    check: Check,
    message: str,
    *,
    subject: str = "",
    connection: str = "",
    hint: str | None = None,
    remedy: str | None = None,
    **names: str,
) -> Diagnosis:
    """An ailment of the list; its hint and its command are filled in with `names`.

    A `hint` or `remedy` is for those cases that know better than the list.
    """
    ailment = AILMENTS[code]
    return Diagnosis(
        check=check,
        subject=subject or connection,
        severity=ailment.severity,
        code=code,
        message=message,
        why=ailment.why,
        hint=ailment.hint.format_map(names) if hint is None else hint,
        remedy=ailment.remedy.format_map(names) if remedy is None else remedy,
        connection=connection,
    )


def in_order(diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """What is worst first; within it as things are looked at."""
    checks, severities = list(Check), list(Severity)
    return tuple(
        sorted(
            diagnoses,
            key=lambda one: (-severities.index(one.severity), checks.index(one.check), one.subject),
        )
    )
