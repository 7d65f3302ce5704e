"""A link's status map, checked against what both desks say their statuses mean.

The map of the file chooses which value is written; what a value means is the desks' to say. A map
that forgets a value would meet it one night, so it is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.document import Path
from config.problem import did_you_mean
from syncd.core.model import Side, Status
from syncd.core.policy import StatusMap
from syncd.settings import StatusValue

#: What the file says: platform value to partner values, the first of which is written.
Listed = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What is wrong with a map, at a path below it."""

    path: Path
    message: str
    hint: str


def status_map(
    listed: Listed | None, platform: Sequence[StatusValue], partner: Sequence[StatusValue]
) -> StatusMap:
    """The map for a link; `faults` found nothing, and each desk has all three meanings."""
    if listed is None:
        platform_order, partner_order = platform, partner
    else:
        names = [partners[0] for partners in listed.values()]
        platform_order = _in_order(platform, list(listed))
        partner_order = _in_order(partner, names)
    return StatusMap(
        means={
            Side.PLATFORM: {value.name: value.meaning for value in platform},
            Side.PARTNER: {value.name: value.meaning for value in partner},
        },
        writes={Side.PLATFORM: _written(platform_order), Side.PARTNER: _written(partner_order)},
    )


def _in_order(values: Sequence[StatusValue], first: list[str]) -> list[StatusValue]:
    return sorted(
        values, key=lambda value: first.index(value.name) if value.name in first else len(first)
    )


def _written(values: Sequence[StatusValue]) -> dict[Status, str]:
    written: dict[Status, str] = {}
    for value in values:
        if value.is_writable:
            written.setdefault(value.meaning, value.name)
    return written


def faults(
    listed: Listed,
    platform: Sequence[StatusValue],
    partner: Sequence[StatusValue],
    *,
    is_whole: bool,
) -> list[Fault]:
    """Everything that keeps the map from being true and, when it `is_whole`, from being total."""
    ours = {value.name: value for value in platform}
    theirs = {value.name: value for value in partner}
    found: list[Fault] = []
    seen: dict[str, str] = {}
    for name, partners in listed.items():
        if name not in ours:
            found.append(_unknown((name,), name, "platform", list(ours)))
        for index, other in enumerate(partners):
            path: Path = (name, index)
            if other not in theirs:
                found.append(_unknown(path, other, "partner", list(theirs)))
            elif other in seen:
                message = f"`{other}` is listed under `{seen[other]}` already"
                found.append(Fault(path=path, message=message, hint="keep one of the two"))
            else:
                seen[other] = name
                found += _contradiction(path, ours.get(name), theirs[other])
                found += _unwritable(path, theirs[other])
    return [*found, *_forgotten(listed, ours, theirs, seen)] if is_whole else found


def _unknown(path: Path, name: str, side: str, known: list[str]) -> Fault:
    message = f"the {side}'s desk has no status `{name}`"
    return Fault(path=path, message=message, hint=did_you_mean(name, known))


def _contradiction(path: Path, ours: StatusValue | None, theirs: StatusValue) -> list[Fault]:
    if ours is None or ours.meaning is theirs.meaning:
        return []
    message = (
        f"`{theirs.name}` means {theirs.meaning.value} at the partner,"
        f" `{ours.name}` means {ours.meaning.value} at the platform"
    )
    hint = f"list it under a platform status that means {theirs.meaning.value}"
    return [Fault(path=path, message=message, hint=hint)]


def _unwritable(path: Path, theirs: StatusValue) -> list[Fault]:
    if path[1] != 0 or theirs.is_writable:
        return []
    message = (
        f"`{theirs.name}` stands first, so it would be written, and that desk does not take it"
    )
    return [Fault(path=path, message=message, hint="put another one first")]


def _forgotten(
    listed: Listed,
    ours: Mapping[str, StatusValue],
    theirs: Mapping[str, StatusValue],
    seen: Mapping[str, str],
) -> list[Fault]:
    covered = {ours[name].meaning for name in listed if name in ours}
    found = [
        Fault(
            path=(),
            message=f"`{value.name}` of the platform is not in the map",
            hint="add it as a key",
        )
        for value in ours.values()
        if value.name not in listed and value.meaning not in covered
    ]
    found += [
        Fault(
            path=(),
            message=f"`{value.name}` of the partner's desk is in no list",
            hint=f"add it to a platform status that means {value.meaning.value}",
        )
        for value in theirs.values()
        if value.name not in seen and not value.may_be_left_out
    ]
    return found
