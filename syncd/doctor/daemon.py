"""Whether a daemon runs on our store, answers, and what supervises it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well

#: The states of a connection in which somebody has to look.
_AWAY = {"down": "does not answer it", "unauthorised": "refuses its credential"}
_OFTEN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonFacts:
    """Who holds the store, and who listens."""

    #: `server.listen`.
    listen: str
    #: Owners that hold the store and their processes; None where the system does not show it.
    holders: Mapping[str, int] | None
    #: A daemon answered at `listen`; `is_ready` is its own word.
    is_answering: bool = False
    is_ready: bool = False
    #: Somebody who is no daemon of ours listens there.
    is_taken: bool = False
    #: The state of each connection, by the daemon's word.
    states: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitFacts:
    """The service, as systemd shows it."""

    is_known: bool
    active_state: str = ""
    file_state: str = ""
    restart_count: int = 0
    is_outdated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramFacts:
    """What syncd runs on; versions as numbers."""

    python: tuple[int, ...]
    sqlite: tuple[int, ...]
    oldest_sqlite: tuple[int, ...]


def judge_daemon(daemon: DaemonFacts) -> Iterator[Diagnosis]:
    """Whether it runs, answers, and has trouble with a desk."""
    yield _presence(daemon)
    for name, state in (daemon.states or {}).items():
        if state in _AWAY:
            message = f"{name} {_AWAY[state]}, it says"
            yield ill("daemon.desk_down", Check.DAEMON, message, subject=name, name=name)


def judge_unit(unit: UnitFacts | None) -> Iterator[Diagnosis]:
    """Nothing where there is no systemd, or no unit of ours."""
    if unit is None or not unit.is_known:
        return
    found = tuple(_of_unit(unit))
    yield from found
    if not found:
        yield well(Check.UNIT, f"{unit.active_state}, {unit.file_state}", subject="syncd.service")


def judge_programs(programs: ProgramFacts) -> Diagnosis:
    """Whether what it runs on is new enough."""
    python, sqlite = _version(programs.python), _version(programs.sqlite)
    if programs.sqlite < programs.oldest_sqlite:
        message = f"SQLite {sqlite}; syncd needs {_version(programs.oldest_sqlite)}"
        return ill("program.old_sqlite", Check.PROGRAM, message)
    return well(Check.PROGRAM, f"Python {python}, SQLite {sqlite}")


def _presence(daemon: DaemonFacts) -> Diagnosis:
    process = None if daemon.holders is None else daemon.holders.get("daemon")
    is_held = process is not None
    at = f"at {daemon.listen}"
    if daemon.is_answering and daemon.holders is not None and not is_held:
        return ill("daemon.elsewhere", Check.DAEMON, f"{at}; our store's lock is free")
    if daemon.is_answering and not daemon.is_ready:
        return ill("daemon.starting", Check.DAEMON, f"it answers {at}, and says that it is not")
    if daemon.is_answering:
        return well(Check.DAEMON, f"ready {at}" + (f", process {process}" if process else ""))
    if is_held:
        return ill("daemon.deaf", Check.DAEMON, f"process {process} holds it; nothing {at}")
    if daemon.is_taken:
        return ill("daemon.port_taken", Check.DAEMON, f"something {at} that is no syncd")
    return ill("daemon.absent", Check.DAEMON, f"nobody holds the store or answers {at}")


def _of_unit(unit: UnitFacts) -> Iterator[Diagnosis]:
    about = "syncd.service"
    if unit.active_state == "failed":
        yield ill("unit.failed", Check.UNIT, "it is failed", subject=about)
    elif unit.restart_count >= _OFTEN:
        message = f"{unit.restart_count} times since it was last started by hand"
        yield ill("unit.restarting", Check.UNIT, message, subject=about)
    if unit.file_state == "disabled":
        yield ill("unit.disabled", Check.UNIT, "it is disabled", subject=about)
    if unit.is_outdated:
        yield ill("unit.outdated", Check.UNIT, "systemd still has the old one", subject=about)


def _version(numbers: Sequence[int]) -> str:
    return ".".join(map(str, numbers))
