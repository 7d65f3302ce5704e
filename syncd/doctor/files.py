"""Who can read and change the files of an installation."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well


class Purpose(StrEnum):
    """What a file is for."""

    CONFIG = "configuration"
    SECRET = "secret"  # noqa: S105 - what a file is for
    STORE = "store"
    FOLDER = "folder"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """One file or folder as the system shows it."""

    path: str
    purpose: Purpose
    #: `st_mode`, its type included.
    mode: int
    owner_id: int
    #: Of the folder in which it is.
    folder_owner_id: int
    #: The supervisor made it for the service alone; its group bits are no group's.
    is_handed_over: bool = False
    #: Whether a secret stands in it: a configuration mostly names where they are.
    has_secrets: bool = True


def judge_files(files: Sequence[FileFacts]) -> Iterator[Diagnosis]:
    """A line for each file with a fault, or one for all."""
    found = [diagnosis for one in files for diagnosis in _judged(one)]
    yield from found
    if files and not found:
        yield well(Check.FILE, f"{len(files)} files are their owner's alone")


def _judged(one: FileFacts) -> Iterator[Diagnosis]:
    names = {"file": shlex.quote(one.path), "folder": shlex.quote(str(PurePath(one.path).parent))}
    rights = f"its rights are {stat.filemode(one.mode)}"
    is_sticky = one.purpose is Purpose.FOLDER and bool(one.mode & stat.S_ISVTX)
    if _has(one, stat.S_IWOTH | stat.S_IWGRP) and not is_sticky:
        yield ill("file.writable", Check.FILE, rights, subject=one.path, **names)
    elif one.purpose is not Purpose.FOLDER and one.has_secrets:
        if one.mode & stat.S_IROTH:
            yield ill("file.open_to_all", Check.FILE, rights, subject=one.path, **names)
        elif _has(one, stat.S_IRGRP):
            yield ill("file.open_to_group", Check.FILE, rights, subject=one.path, **names)
    if one.purpose is Purpose.STORE and one.owner_id != one.folder_owner_id:
        message = f"it is user {one.owner_id}'s, its folder user {one.folder_owner_id}'s"
        yield ill("file.foreign_owner", Check.FILE, message, subject=one.path, **names)


def _has(one: FileFacts, bits: int) -> bool:
    # With an access list the group's bits are its mask, and say nothing of a group.
    return bool(one.mode & (bits & ~stat.S_IRWXG if one.is_handed_over else bits))
