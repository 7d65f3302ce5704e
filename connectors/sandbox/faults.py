"""Faults: rules that make a desk in miniature fail in a chosen way at a chosen request.

A rule is armed over HTTP or in process, counts the requests it matches, lets the first `skip` pass
and then strikes `times` times. What a strike does to the connection is the chassis' work.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from connectors.sandbox.call import Call

Action = Literal[
    "drop_before",
    "drop_after",
    "hold_before",
    "hold_after",
    "land_late",
    "status",
    "html",
    "truncate",
    "delay_before",
    "delay_after",
]

ACTIONS: Final[frozenset[str]] = frozenset(get_args(Action))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One rule. A condition left at its default does not restrict."""

    # drop_before  connection closed without an answer, nothing applied
    # drop_after   applied, connection closed without an answer
    # hold_before  waits before applying until released; never applied once its client has gone
    # hold_after   applied, the answer waits until released
    # land_late    connection closed at once, applied when released: the write nobody waits for
    # status       answers `status`, `headers`, `body`; applied only if `is_applied`
    # html         like status, with a page of HTML
    # truncate     applied, answers the first half of the body
    # delay_*      waits `delay_seconds`, before or after applying, then goes on normally
    action: Action
    methods: frozenset[str] = frozenset()
    # A regular expression searched in the path.
    path: str = ""
    kind: Literal["any", "read", "write"] = "any"
    # Only the write that is this one since the sandbox started (or was reset), counted from 1.
    write_number: int | None = None
    skip: int = 0
    # None strikes for ever.
    times: int | None = 1
    probability: float = 1.0
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    # A string is sent as text, anything else as JSON; None sends no body.
    body: Any = None
    is_applied: bool = False
    delay_seconds: float = 0.0

    def matches(self, call: Call, write_number: int | None) -> bool:
        """Whether the rule's conditions hold for this request; `write_number` None for reads."""
        return (
            (not self.methods or call.method in self.methods)
            and (not self.path or re.search(self.path, call.path) is not None)
            and (self.kind == "any" or (self.kind == "write") == call.is_write)
            and (self.write_number is None or self.write_number == write_number)
        )


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    struck: int = 0


@dataclass(slots=True)
class FaultBook:
    """The armed rules, in order; a request is struck by at most one, the first that is due."""

    seed: int = 0
    _armed: list[_Armed] = field(default_factory=list)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable dice, nothing secret

    def arm(self, fault: Fault) -> None:
        """Add a rule behind those already armed."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Disarm everything; what is held stays held."""
        self._armed.clear()

    def strike(self, call: Call, write_number: int | None) -> Fault | None:
        """The rule that strikes this request, None when it may pass; counts as it goes."""
        chosen: Fault | None = None
        for armed in self._armed:
            if not armed.fault.matches(call, write_number):
                continue
            armed.seen += 1
            if chosen is None and self._is_due(armed):
                armed.struck += 1
                chosen = armed.fault
        return chosen

    def _is_due(self, armed: _Armed) -> bool:
        fault = armed.fault
        if armed.seen <= fault.skip:
            return False
        if fault.times is not None and armed.struck >= fault.times:
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability

    def listing(self) -> list[dict[str, object]]:
        """What is armed, with how often each rule has matched and struck."""
        return [
            {"action": a.fault.action, "path": a.fault.path, "seen": a.seen, "struck": a.struck}
            for a in self._armed
        ]


class FaultRefused(ValueError):
    """A rule sent over HTTP that cannot be armed; the message says why."""


_PLAIN = ("path", "kind", "write_number", "skip", "times", "probability", "status", "body")


def fault_from_json(value: object) -> Fault:
    """Read a rule: the fields of `Fault`, with `applied` for `is_applied`, headers as an object.

    Raises FaultRefused.
    """
    if not isinstance(value, dict) or value.get("action") not in ACTIONS:
        raise FaultRefused(f"action must be one of {', '.join(sorted(ACTIONS))}")
    known = {*_PLAIN, "action", "methods", "headers", "applied", "delay_seconds"}
    if unknown := set(value) - known:
        raise FaultRefused(f"unknown keys: {', '.join(sorted(unknown))}")
    plain = {key: value[key] for key in _PLAIN if key in value}
    try:
        re.compile(plain.get("path", ""))
        return Fault(
            action=value["action"],
            methods=frozenset(method.upper() for method in value.get("methods", ())),
            headers=tuple((str(k), str(v)) for k, v in value.get("headers", {}).items()),
            is_applied=bool(value.get("applied", False)),
            delay_seconds=float(value.get("delay_seconds", 0)),
            **plain,
        )
    except (re.error, TypeError, AttributeError, ValueError) as error:
        raise FaultRefused(str(error)) from error
