"""Who holds the store, who listens, and what supervises the daemon, as facts.

Nobody's lock is tried: a daemon that is just starting would find it taken.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from syncd.doctor.budget import BudgetFacts
from syncd.doctor.daemon import DaemonFacts, UnitFacts

_LOCKS = Path("/proc/locks")
_SYSTEMD = Path("/run/systemd/system")
_SECONDS = 1.0
_LAST_PORT = 65_535
_UNIT = "syncd.service"
_PROPERTIES = "LoadState,ActiveState,UnitFileState,NRestarts,NeedDaemonReload"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - compared, not bound


def daemon(
    listen: str, holders: Mapping[str, int] | None, word: Mapping[str, object] | None
) -> DaemonFacts:
    """`word` is what the daemon said of itself, None where none did; `holders` see below."""
    states = {}
    if word is not None and isinstance(said := word.get("connections"), Mapping):
        for name, condition in said.items():
            told = condition.get("state") if isinstance(condition, Mapping) else None
            states[str(name)] = str(told or "")
    is_syncd = word is not None and "version" in word
    return DaemonFacts(
        listen=listen,
        holders=holders,
        is_answering=is_syncd,
        is_ready=bool(word and word.get("ready")),
        is_taken=not is_syncd and is_taken(listen),
        states=states,
    )


def budgets(word: Mapping[str, object] | None) -> tuple[BudgetFacts, ...]:
    """How often each desk refused the running daemon, by its own word; what is left of a quota is
    the desk's to say.
    """
    said = (word or {}).get("budgets")
    found = []
    for name, buckets in said.items() if isinstance(said, Mapping) else ():
        for bucket, told in buckets.items() if isinstance(buckets, Mapping) else ():
            refused = told.get("refused") if isinstance(told, Mapping) else None
            if isinstance(refused, int) and refused > 0:
                found.append(
                    BudgetFacts(
                        connection=str(name),
                        bucket=str(bucket),
                        limit=0,
                        ours=0,
                        left=None,
                        refused_count=refused,
                    )
                )
    return tuple(found)


def holders(store: Path) -> Mapping[str, int] | None:
    """The owners whose locks on the store are held, and by which process.

    None where the system does not list locks.
    """
    try:
        lines = _LOCKS.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    held: dict[int, int] = {}
    for line in lines:
        words = line.split()
        # By the number alone: what stands for the disk is not what `stat` shows on every kind.
        if len(words) > 5 and words[1] == "FLOCK" and words[4].isdigit():  # noqa: PLR2004 - six words
            number = words[5].rpartition(":")[2]
            if number.isdigit():
                held[int(number)] = int(words[4])
    found = {}
    with contextlib.suppress(OSError):
        for lock in store.parent.glob(f"{store.name}.*.lock"):
            inode = lock.stat().st_ino
            if inode in held:
                found[lock.name.removeprefix(f"{store.name}.").removesuffix(".lock")] = held[inode]
    return found


def is_taken(listen: str) -> bool:
    """Whether anybody listens there."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or not 0 < int(port) <= _LAST_PORT:
        return False
    plain = _EVERYWHERE.get(host, host.strip("[]"))
    try:
        socket.create_connection((plain, int(port)), timeout=_SECONDS).close()
    except OSError:
        return False
    return True


def unit() -> UnitFacts | None:
    """The service by systemd's word; None where there is no systemd."""
    if not _SYSTEMD.is_dir():
        return None
    command = ["systemctl", "show", _UNIT, f"--property={_PROPERTIES}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=2 * _SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return unit_of(done.stdout)


def unit_of(text: str) -> UnitFacts:
    """What `systemctl show` printed, as facts."""
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    restarts = said.get("NRestarts", "")
    return UnitFacts(
        is_known=said.get("LoadState") == "loaded",
        active_state=said.get("ActiveState", ""),
        file_state=said.get("UnitFileState", ""),
        restart_count=int(restarts) if restarts.isdigit() else 0,
        is_outdated=said.get("NeedDaemonReload") == "yes",
    )
