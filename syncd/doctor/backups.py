"""Whether copies of the store are still being made where the nightly timer puts them.

Copies that are kept elsewhere cannot be seen from here: where the folder is missing, it is said,
and nobody has to act.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well

#: A night, the timer's delay and one night that failed: whoever makes them rarer is told, too.
_STALE = timedelta(hours=50)


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupFacts:
    """The folder beside the store that `syncd-backup.service` writes to."""

    folder: str
    exists: bool = True
    #: Since the newest whole copy of this very store was made; None where there is none.
    newest_age: timedelta | None = None


def judge_backups(backups: BackupFacts) -> Iterator[Diagnosis]:
    """Whether the newest copy there is of the last two nights."""
    age, folder = backups.newest_age, backups.folder
    if not backups.exists:
        yield ill("backup.elsewhere", Check.BACKUP, "no such folder", subject=folder)
    elif age is None:
        yield ill("backup.stopped", Check.BACKUP, "no whole copy of this store", subject=folder)
    elif age > _STALE:
        message = f"the newest whole copy was made {age / timedelta(days=1):.1f} days ago"
        yield ill("backup.stopped", Check.BACKUP, message, subject=folder)
    else:
        hours = max(age / timedelta(hours=1), 0.0)
        yield well(Check.BACKUP, f"the newest copy is {hours:.0f} hours old", subject=folder)
