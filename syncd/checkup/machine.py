"""Files, disk and programs of this machine, as facts."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.doctor.backups import BackupFacts
from syncd.doctor.daemon import ProgramFacts
from syncd.doctor.files import FileFacts, Purpose
from syncd.doctor.secrets import SecretFacts
from syncd.doctor.store import DiskFacts
from syncd.store import OLDEST_SQLITE, sqlite_version
from syncd.store.backup_series import newest_at

#: Where systemd puts the credentials of a service; the access list there names its user.
_HANDED_OVER = "/run/credentials/"
#: Beside the store, as in config/systemd/syncd-backup.service.
BACKUPS = "backups"
_MOUNTS = Path("/proc/self/mountinfo")


def files(
    config: Path, store: Path | None, secrets: Iterable[SecretFacts], *, has_secrets: bool
) -> tuple[FileFacts, ...]:
    """The files that an installation is made of, as far as they are there.

    `has_secrets` where secrets stand in the configuration itself.
    """
    found = [_fact(config, Purpose.CONFIG, has_secrets=has_secrets)]
    paths = dict.fromkeys(one.path for one in secrets if one.path)
    found += [_fact(Path(path), Purpose.SECRET) for path in paths]
    if store is not None:
        found.append(_fact(store.parent, Purpose.FOLDER))
        found += [_fact(path, Purpose.STORE) for path in _of_store(store)]
    return tuple(one for one in found if one is not None)


def disk(store: Path) -> DiskFacts | None:
    """The file system of the store, or of the folder that it is to be in; None where none is."""
    for folder in store.absolute().parents:
        with contextlib.suppress(OSError):
            seen = os.statvfs(folder)
            return DiskFacts(
                folder=str(folder),
                kind=_kind_of(folder),
                free_bytes=seen.f_bavail * seen.f_frsize,
                free_inodes=seen.f_favail if seen.f_files else None,
                is_read_only=bool(seen.f_flag & os.ST_RDONLY),
            )
    return None


def backups(store: Path, store_id: str, *, now: datetime) -> BackupFacts | None:
    """The copies in the folder that the nightly timer uses; None where it cannot be looked into."""
    folder = store.absolute().parent / BACKUPS
    facts = BackupFacts(folder=str(folder), exists=os.path.lexists(folder))
    try:
        made_at = newest_at(folder, store_id) if facts.exists else None
    except StoreUnavailable:
        return None
    return facts if made_at is None else replace(facts, newest_age=now - made_at)


def programs() -> ProgramFacts:
    """What this process runs on; the daemon runs on the same where it is the same installation."""
    return ProgramFacts(
        python=tuple(sys.version_info[:3]), sqlite=sqlite_version(), oldest_sqlite=OLDEST_SQLITE
    )


def _of_store(store: Path) -> Iterator[Path]:
    """The store and all that is named after it: log, locks, kept tokens, copies."""
    with contextlib.suppress(OSError):
        for path in sorted(store.parent.iterdir()):
            if path.name == store.name or path.name.startswith(
                (f"{store.name}.", f"{store.name}-")
            ):
                yield path


def _fact(path: Path, purpose: Purpose, *, has_secrets: bool = True) -> FileFacts | None:
    try:
        seen, above = path.stat(), path.parent.stat()
    except OSError:
        return None
    return FileFacts(
        path=str(path),
        purpose=purpose,
        mode=seen.st_mode,
        owner_id=seen.st_uid,
        folder_owner_id=above.st_uid,
        is_handed_over=str(path).startswith(_HANDED_OVER),
        has_secrets=has_secrets,
    )


def _kind_of(folder: Path) -> str:
    """The file system's kind, of the deepest mount above the folder; empty where untold."""
    kinds: dict[Path, str] = {}
    with contextlib.suppress(OSError):
        for line in _MOUNTS.read_text("utf-8", "replace").splitlines():
            mount, dash, rest = line.partition(" - ")
            if dash and len(mount.split()) > 4:  # noqa: PLR2004 - the fifth is the mount point
                kinds[Path(mount.split()[4].replace("\\040", " "))] = rest.split()[0]
    real = folder.resolve()
    return next((kinds[one] for one in (real, *real.parents) if one in kinds), "")
