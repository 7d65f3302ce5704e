"""What a Request Tracker looks like from inside: the program that asks, and what its answer means.

Pure. REST does not show rights or scrips, not even to an administrator, so somebody who may runs
`script()` on RT's own machine; it changes nothing, and holds no secret. `judge` reads what it told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from connectors.request_tracker import commands
from connectors.request_tracker.needs import Field, Needs
from connectors.request_tracker.scrip import scrip_of, title_of
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName
from syncd.ports import CheckResult

_PROGRAM = Path(__file__).with_name("examine.pl")
_FORMAT = 1


class _User(msgspec.Struct):
    name: str
    exists: bool
    is_enabled: bool
    is_privileged: bool


class _Queue(msgspec.Struct):
    exists: bool
    rights: dict[str, bool]


class _Field(msgspec.Struct):
    name: str
    queue: str
    exists: bool
    is_applied: bool = False
    is_multiple: bool = False


class _Scrip(msgspec.Struct):
    id: int
    is_enabled: bool
    is_global: bool
    fingerprint: str


class _Told(msgspec.Struct):
    format: int
    version: str
    user: _User
    queues: dict[str, _Queue]
    #: By the owner's name, then by the queue's.
    owners: dict[str, dict[str, bool]]
    fields: list[_Field]
    scrips: list[_Scrip]
    #: Whether any scrip could open a ticket that waits for the customer.
    opens: bool
    #: Whether RT's Perl can call an address that begins with https.
    has_https: bool


class Examination:
    """Of one connection. Implements `syncd.examiner.Examiner`."""

    def __init__(self, name: ConnectionName, needs: Needs) -> None:
        self._name = name
        self._needs = needs

    def script(self) -> str:
        """Perl that tells what there is, as one line of JSON."""
        needs = self._needs
        wanted = {
            "user": needs.user,
            "queues": {queue: list(needs.rights(queue)) for queue in needs.all_queues()},
            "owners": list(needs.owners),
            "fields": [
                {"name": field.name, "lookup": field.lookup, "queues": list(needs.all_queues())}
                for field in needs.fields
            ],
            "scrip": "" if needs.call is None else title_of(needs.call),
        }
        return _PROGRAM.read_text(encoding="utf-8") + json.dumps(wanted) + "\n"

    def scrip(self) -> str | None:
        """Perl that makes or mends the scrip; None where no webhook is configured."""
        needs = self._needs
        if needs.call is None:
            return None
        return scrip_of(needs.call, needs.all_queues()).program()

    def judge(self, told: str) -> Sequence[CheckResult]:
        """What is missing, why it matters, and the command that adds it. Raises Unintelligible."""
        # RT's own warnings may stand before it.
        line = next((one for one in reversed(told.splitlines()) if one.startswith("{")), "")
        try:
            found = msgspec.json.decode(line, type=_Told)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise self._not_told() from error
        if found.format != _FORMAT:
            raise self._not_told()
        return tuple(self._judged(found))

    def _not_told(self) -> Unintelligible:
        return Unintelligible(
            "this is not what the examination tells",
            connection=self._name,
            action="doctor",
            hint=f"Run `syncd doctor {self._name} --script | perl - > told.json` on RT's machine,"
            " as the user that RT runs as.",
        )

    def _judged(self, told: _Told) -> Iterator[CheckResult]:
        yield from self._user(told.user)
        for name in self._needs.all_queues():
            yield from self._queue(name, told.queues.get(name), told.user.name)
        for owner in self._needs.owners:
            yield from self._owner(owner, told.owners.get(owner, {}))
        by_place = {(field.name, field.queue): field for field in told.fields}
        # What a missing queue's fields are is no question yet.
        queues = [name for name in self._needs.all_queues() if _exists(told.queues.get(name))]
        for field in self._needs.fields:
            shown = {queue: by_place.get((field.name, queue)) for queue in queues}
            yield from self._field(field, shown)
        yield self._reopening(told)
        yield from self._scrip(told)

    def _user(self, user: _User) -> Iterator[CheckResult]:
        name = user.name
        if not user.exists:
            yield _lacks("user", f"there is no user {name}", "Make the user and a token for it.")
        elif not (user.is_enabled and user.is_privileged):
            yield _lacks(
                "user",
                f"{name} is disabled, or not privileged",
                "RT lets only privileged users see what staff see.",
                commands.admit(name),
            )
        else:
            yield _has("user", f"{name} is enabled and privileged")

    def _queue(self, name: str, queue: _Queue | None, user: str) -> Iterator[CheckResult]:
        if queue is None or not queue.exists:
            hint = "Make or enable the queue, or mend its name in the file."
            yield _lacks(f"queue {name}", "there is no such queue", hint)
            return
        rights = self._needs.rights(name)
        missing = [right for right in rights if not queue.rights.get(right)]
        for right in missing:
            yield _lacks(
                f"right {right} in {name}",
                f"{user} lacks it: {rights[right]}",
                "Grant it to the user, or to a group that the user is in.",
                commands.grant(user, missing, name),
            )
        if not missing:
            yield _has(f"rights in {name}", f"all {len(rights)} that syncd needs")

    def _owner(self, owner: str, queues: Mapping[str, bool]) -> Iterator[CheckResult]:
        for queue in self._needs.queues:
            if queues.get(queue):
                yield _has(f"owner {owner} in {queue}", "may own tickets")
            else:
                yield _lacks(
                    f"right OwnTicket in {queue}",
                    f"{owner} lacks it: a hand-off cannot make {owner} the owner",
                    "Grant it to that user, or to a group that the user is in.",
                    commands.grant(owner, ["OwnTicket"], queue),
                )

    def _field(self, field: Field, shown: Mapping[str, _Field | None]) -> Iterator[CheckResult]:
        there = {queue: one for queue, one in shown.items() if one and one.is_applied}
        lacking = [queue for queue in shown if queue not in there]
        for queue in lacking:
            yield _lacks(
                f"custom field {field.name} in {queue}",
                f"it is not there: {field.lost}",
                "Apply the field to the queue; the command makes it where there is none.",
                commands.apply_field(field, lacking),
            )
        name = f"custom field {field.name}"
        if field.is_multiple and not all(one.is_multiple for one in there.values()):
            yield _lacks(
                name,
                "it takes one value only: of several tags all but one are lost",
                "Let it take many values.",
                commands.take_many(field),
            )
        elif there and not lacking:
            # A right to it that is missing is named with the queue's.
            yield _has(name, "it is there")

    def _reopening(self, told: _Told) -> CheckResult:
        name = "customer's answer"
        if told.opens:
            return _has(name, "a scrip opens tickets again")
        return _lacks(
            name,
            f"no scrip opens a ticket that is {' or '.join(self._needs.reopening.waiting)}:"
            " it stays with the customer on both desks, and nobody sees the answer",
            "Add such a scrip; RT by itself opens only what is new or closed.",
            commands.make_reopening(self._needs.reopening),
        )

    def _scrip(self, told: _Told) -> Iterator[CheckResult]:
        call = self._needs.call
        if call is None:
            yield _has("scrip", "none is wanted: changes are polled")
            return
        remedy = commands.put_scrip(self._name)
        wanted = scrip_of(call, self._needs.all_queues())
        problem = ""
        if not told.scrips:
            problem = "there is none that calls this installation"
        elif len(told.scrips) > 1:
            problem = f"there are {len(told.scrips)}: each change is told as many times"
        elif not told.scrips[0].is_enabled:
            problem = "it is switched off"
        elif not told.scrips[0].is_global:
            problem = "it is not global: tickets in other queues are not told"
        elif told.scrips[0].fingerprint != wanted.fingerprint:
            problem = "it has another secret, other queues, or is of another version of syncd"
        if problem:
            yield _lacks("scrip", problem, "Until then changes are seen by polling alone.", remedy)
        else:
            yield _has("scrip", "it is there, with the configured secret")
        if call.endpoint.startswith("https:") and not told.has_https:
            hint = "On Debian: apt-get install liblwp-protocol-https-perl"
            yield _lacks("https", "RT's Perl cannot call an https address", hint)


def _exists(queue: _Queue | None) -> bool:
    return queue is not None and queue.exists


def _has(name: str, message: str) -> CheckResult:
    return CheckResult(name=name, is_ok=True, message=message)


def _lacks(name: str, message: str, hint: str, remedy: str = "") -> CheckResult:
    return CheckResult(name=name, is_ok=False, message=message, hint=hint, remedy=remedy)
