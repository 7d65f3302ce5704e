"""Whether a desk can be reached and trusted, whose clock is off, and what is lacking there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well
from syncd.line import Contact, LineFault
from syncd.ports import CheckResult

#: Seconds of noise and waiting; more is a clock that nobody sets.
_NOTED_SKEW = timedelta(minutes=1)
#: What signed webhooks are forgiven.
_FAR_SKEW = timedelta(minutes=15)
#: Desks that are off by as much as each other agree with each other.
_AGREEING = timedelta(seconds=10)
#: Whoever renews by a machine does so a month before; a person needs some days.
_ENDS_SOON = timedelta(days=14)
_CODES = {
    LineFault.NO_NAME: ("line.no_name", Check.LINE, "cannot be found"),
    LineFault.REFUSED: ("line.refused", Check.LINE, "refuses the connection"),
    LineFault.SILENT: ("line.silent", Check.LINE, "did not answer in time"),
    LineFault.BROKEN: ("line.broken", Check.LINE, "breaks the connection off"),
    LineFault.EXPIRED: ("tls.expired", Check.TLS, "has a certificate that is not good now"),
    LineFault.WRONG_NAME: ("tls.wrong_name", Check.TLS, "has a certificate for another name"),
    LineFault.UNTRUSTED: ("tls.untrusted", Check.TLS, "has a certificate that nobody vouches for"),
    LineFault.NO_TLS: ("tls.broken", Check.TLS, "speaks no TLS that we understand"),
}


class Silence(StrEnum):
    """Why a desk could not be examined."""

    #: It did not answer, or is out of order.
    UNREACHABLE = "unreachable"
    #: Not within the time for one desk.
    LATE = "late"
    LIMITED = "limited"
    UNAUTHORISED = "unauthorised"
    RIDDLE = "riddle"
    #: Its connector failed in a way that no contract names.
    BUG = "bug"


_SILENCES = {
    Silence.UNREACHABLE: "line.broken",
    Silence.LATE: "line.silent",
    Silence.LIMITED: "line.limited",
    Silence.UNAUTHORISED: "line.unauthorised",
    Silence.RIDDLE: "line.riddle",
    Silence.BUG: "line.bug",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskFacts:
    """What came of asking one desk."""

    connection: str
    #: What its connector found; empty where it could not be asked.
    results: Sequence[CheckResult] = ()
    silence: Silence | None = None
    #: In words, without ticket text; and what to do where the error knows.
    message: str = ""
    hint: str = ""
    #: Every try, oldest first.
    contacts: Sequence[Contact] = ()


def judge_desk(desk: DeskFacts) -> Iterator[Diagnosis]:
    """The way to it and what is lacking there; its clock is judged with all the others'."""
    yield _line(desk)
    yield from _certificate(desk)
    if _unreached(desk) is None:
        # The line has shown the clock already, where it could.
        is_seen = skew_of(desk.contacts) is not None
        results = [one for one in desk.results if not (is_seen and one.name == "clock")]
        yield from judge_results(desk.connection, results)


def judge_results(name: str, results: Sequence[CheckResult]) -> Iterator[Diagnosis]:
    """What a desk was found to have and to lack, by its connector or by its own machine."""
    for result in results:
        yield _of_result(name, result)


def skew_of(contacts: Sequence[Contact]) -> timedelta | None:
    """How far a desk's clock is ahead of ours, at least; None where it never said.

    A stamp has whole seconds and was made while the request was under way: within that, the
    clocks agree.
    """
    found = [skew for one in contacts if one.date is not None for skew in [_skew(one, one.date)]]
    return min(found, key=abs, default=None)


def judge_clocks(skews: Mapping[str, timedelta | None]) -> Iterator[Diagnosis]:
    """This machine's clock where several desks agree on another time, else each desk's."""
    off = {name: one for name, one in skews.items() if one is not None and abs(one) >= _NOTED_SKEW}
    values = sorted(off.values())
    if len(values) > 1 and values[-1] - values[0] <= _AGREEING:
        message = f"it is {_shown(-values[0])} {', '.join(sorted(off))}"
        yield ill("clock.here", Check.CLOCK, message)
        return
    for name, skew in skews.items():
        if skew is None:
            continue
        if name not in off:
            yield well(Check.CLOCK, "agrees with this machine's", connection=name)
            continue
        code = "clock.far" if abs(skew) >= _FAR_SKEW else "clock.differs"
        message = f"its clock is {_shown(skew)} this machine's"
        yield ill(code, Check.CLOCK, message, connection=name)


def _line(desk: DeskFacts) -> Diagnosis:
    name, hint = desk.connection, desk.hint or None
    unreached = _unreached(desk)
    if unreached is not None:
        code, check, what = _CODES[unreached.fault or LineFault.BROKEN]
        message = f"{unreached.host} {what}"
        return ill(code, check, message, connection=name, host=unreached.host)
    if desk.silence is None:
        return well(Check.LINE, "answers", connection=name)
    code = _SILENCES[desk.silence]
    return ill(code, Check.LINE, desk.message, connection=name, hint=hint)


def _unreached(desk: DeskFacts) -> Contact | None:
    """The last try, where none had an answer."""
    if not desk.contacts or any(one.fault is None for one in desk.contacts):
        return None
    return desk.contacts[-1]


def _certificate(desk: DeskFacts) -> Iterator[Diagnosis]:
    name = desk.connection
    ends = [one for one in desk.contacts if one.certificate_ends_at is not None]
    if ends:
        yield _ending(name, ends[-1].certificate_ends_at or ends[-1].at, ends[-1].at)
    hosts = [one.host for one in desk.contacts if not (one.is_encrypted or _is_here(one.host))]
    if hosts:
        yield ill("tls.missing", Check.TLS, f"{hosts[-1]} is asked by plain HTTP", connection=name)


def _ending(name: str, ends_at: datetime, at: datetime) -> Diagnosis:
    day = f"{ends_at:%Y-%m-%d}"
    if ends_at - at < _ENDS_SOON:
        return ill("tls.ends_soon", Check.TLS, f"it ends on {day}", connection=name)
    return well(Check.TLS, f"good until {day}", connection=name)


def _of_result(name: str, result: CheckResult) -> Diagnosis:
    if result.is_ok and not result.hint:
        found = well(Check.DESK, result.message, connection=name)
    else:
        code = "desk.advice" if result.is_ok else "desk.lacks"
        found = ill(
            code,
            Check.DESK,
            result.message,
            connection=name,
            hint=result.hint,
            remedy=result.remedy,
        )
    return replace(found, name=result.name)


def _skew(contact: Contact, date: datetime) -> timedelta:
    least = date - contact.at
    most = date + timedelta(seconds=1) - (contact.at - timedelta(seconds=contact.seconds))
    if least <= timedelta() <= most:
        return timedelta()
    return least if least > timedelta() else most


def _shown(skew: timedelta) -> str:
    seconds = round(abs(skew).total_seconds())
    amount = f"{seconds} s" if seconds < 600 else f"{seconds // 60} min"  # noqa: PLR2004 - ten minutes
    return f"{amount} {'ahead of' if skew > timedelta() else 'behind'}"


def _is_here(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
