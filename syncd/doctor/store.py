"""Whether the store is whole, ours, of the right age, and has room."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well

#: SQLite folds its log in at 4 MB; so much more only gathers behind a reader that does not end.
_LARGE_LOG_BYTES = 64_000_000
#: What one day of a busy installation may write.
_FULL_BYTES = 64_000_000
_FEW_INODES = 100
#: SQLite's write-ahead log needs memory that both ends share.
_NETWORK_DISKS = frozenset({"9p", "afs", "ceph", "cifs", "fuse.sshfs", "nfs", "nfs4", "smb3"})


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreFacts:
    """The SQLite file, as it is without a change to it."""

    path: str
    exists: bool = True
    #: Why it could not be opened or read, and what to do; empty where it could.
    fault: str = ""
    hint: str = ""
    is_ours: bool = True
    is_too_new: bool = False
    is_damaged: bool = False
    #: None for an empty file.
    revision: str | None = None
    newest_revision: str = ""
    size_bytes: int = 0
    #: Of the write-ahead log.
    log_bytes: int = 0
    #: What SQLite found, in its own words: tables and indexes, no values.
    faults: tuple[str, ...] = ()
    #: Rows that name another row which is not there.
    dangling_count: int = 0
    #: The check was cut off.
    is_unchecked: bool = False
    #: It says of itself that it is a copy, or has fewer commits than were counted beside it.
    is_older: bool = False
    #: What its copies have in common with it; empty where that was not read.
    store_id: str = ""
    doubtful_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DiskFacts:
    """The file system that the store is on."""

    folder: str
    #: `ext4`; empty where it is not known.
    kind: str = ""
    free_bytes: int
    #: None where the file system counts none.
    free_inodes: int | None = None
    is_read_only: bool = False


def judge_store(store: StoreFacts) -> Iterator[Diagnosis]:
    """What keeps the store from being used, else each fault, else that there is none."""
    found = tuple(replace(one, subject=store.path) for one in _judged(store))
    yield from found
    if all(one.code in {"store.unchecked", "store.old_schema"} for one in found):
        size = f"{store.size_bytes / 1e6:.1f} MB, schema {store.revision}"
        if store.revision is not None and not found:
            yield well(Check.STORE, f"whole: {size}", subject=store.path)


def judge_disk(disk: DiskFacts, *, store_bytes: int) -> Iterator[Diagnosis]:
    """Room, files and rights of the store's file system."""
    found = tuple(replace(one, subject=disk.folder) for one in _judged_disk(disk, store_bytes))
    yield from found
    if not found:
        free = f"{disk.free_bytes / 1e9:.1f} GB free"
        yield well(Check.DISK, free, subject=disk.folder)


def _judged(store: StoreFacts) -> Iterator[Diagnosis]:
    names = {"store": shlex.quote(store.path)}
    if not store.exists:
        yield ill("store.missing", Check.STORE, "no such file")
    elif store.is_too_new:
        yield ill("store.too_new", Check.STORE, store.fault)
    elif not store.is_ours:
        yield ill("store.not_ours", Check.STORE, store.fault)
    elif store.is_damaged:
        yield ill("store.damaged", Check.STORE, store.fault)
    elif store.fault:
        yield ill("store.unreadable", Check.STORE, store.fault, hint=store.hint or None)
    else:
        yield from _of_content(store, names)


def _of_content(store: StoreFacts, names: dict[str, str]) -> Iterator[Diagnosis]:
    if store.faults or store.dangling_count:
        said = [*store.faults]
        if store.dangling_count:
            said.append(f"{store.dangling_count} rows name one that is not there")
        yield ill("store.damaged", Check.STORE, "; ".join(said))
    elif store.is_unchecked:
        yield ill("store.unchecked", Check.STORE, f"{store.size_bytes / 1e6:.0f} MB")
    if store.is_older:
        message = "it is a copy, or has fewer commits than were counted beside it"
        yield ill("store.older", Check.STORE, message)
    elif store.doubtful_count:
        yield ill("store.doubtful", Check.STORE, f"{store.doubtful_count} pairs are left")
    if store.revision != store.newest_revision and store.revision is not None:
        message = f"schema {store.revision}; this syncd has {store.newest_revision}"
        yield ill("store.old_schema", Check.STORE, message, **names)
    if store.log_bytes > max(_LARGE_LOG_BYTES, store.size_bytes // 2):
        message = (
            f"{store.log_bytes / 1e6:.0f} MB beside a store of {store.size_bytes / 1e6:.0f} MB"
        )
        yield ill("store.large_log", Check.STORE, message)


def _judged_disk(disk: DiskFacts, store_bytes: int) -> Iterator[Diagnosis]:
    names = {"folder": shlex.quote(str(PurePath(disk.folder)))}
    free = f"{disk.free_bytes / 1e6:.0f} MB free"
    if disk.is_read_only:
        yield ill("disk.read_only", Check.DISK, "mounted read-only", **names)
    elif disk.free_bytes < _FULL_BYTES:
        yield ill("disk.full", Check.DISK, free, **names)
    elif disk.free_bytes < store_bytes + _FULL_BYTES:
        message = f"{free}, the store has {store_bytes / 1e6:.0f} MB"
        yield ill("disk.short", Check.DISK, message, **names)
    if disk.free_inodes is not None and disk.free_inodes < _FEW_INODES:
        yield ill("disk.no_inodes", Check.DISK, f"{disk.free_inodes} more files", **names)
    if disk.kind in _NETWORK_DISKS:
        yield ill("store.network_disk", Check.DISK, f"a disk of kind {disk.kind}")
