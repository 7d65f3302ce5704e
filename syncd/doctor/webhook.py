"""Whether a desk's webhook leads to us and arrives."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from syncd.core.hook import HINTS, HookFault, HookView
from syncd.doctor.diagnosis import Check, Diagnosis, ill, well
from syncd.line import LineFault


@dataclass(frozen=True, kw_only=True, slots=True)
class Knock:
    """A question at a webhook's public address that no desk would ask, and its answer."""

    #: None where no answer came, for `fault`.
    status: int | None = None
    fault: LineFault | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HookFacts:
    """One connection's webhook."""

    connection: str
    endpoint: str
    #: The endpoint, and the desk, are reached without leaving this machine.
    is_endpoint_here: bool = False
    is_desk_here: bool = False
    #: None where the desk was not asked, or shows nothing of the kind.
    view: HookView | None = None
    #: None where nobody knocked: no daemon runs that could answer.
    knock: Knock | None = None


def judge_webhook(hook: HookFacts) -> Iterator[Diagnosis]:
    """Its address, our own answer there, and what the desk has."""
    name = hook.connection
    found = [replace(one, connection=name, subject=name) for one in _judged(hook)]
    yield from found
    if not found:
        told = "leads here" if hook.view is not None else "is configured"
        answered = ", and this address answers" if hook.knock is not None else ""
        yield well(Check.WEBHOOK, f"{told}{answered}", connection=name)


def _judged(hook: HookFacts) -> Iterator[Diagnosis]:
    if hook.is_endpoint_here and not hook.is_desk_here:
        yield ill("webhook.private_address", Check.WEBHOOK, hook.endpoint)
    elif hook.knock is not None:
        yield from _of_knock(hook.endpoint, hook.knock)
    if hook.view is not None:
        yield from _of_view(hook.connection, hook.view)


def _of_knock(endpoint: str, knock: Knock) -> Iterator[Diagnosis]:
    address = shlex.quote(endpoint)
    if knock.status is None:
        why = "" if knock.fault is None else f": {knock.fault.value.replace('_', ' ')}"
        message = f"{endpoint} does not answer{why}"
        yield ill("webhook.unreachable", Check.WEBHOOK, message, address=address)
    elif knock.status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}:
        message = f"the proxy at {endpoint} finds no daemon ({knock.status})"
        yield ill("webhook.unreachable", Check.WEBHOOK, message, address=address)
    elif knock.status != HTTPStatus.METHOD_NOT_ALLOWED:
        # The daemon refuses every question here but a webhook's own, and leaves no trace of it.
        message = f"{endpoint} answers {knock.status} as the daemon would not"
        yield ill("webhook.elsewhere", Check.WEBHOOK, message, address=address)


def _of_view(name: str, view: HookView) -> Iterator[Diagnosis]:
    for fault in view.faults:
        hint, words = HINTS[fault], fault.value.replace("_", " ")
        if fault is HookFault.UNREADABLE:
            yield ill("webhook.unseen", Check.WEBHOOK, words, hint=hint)
            continue
        status = f", latest failure {view.failed_status}" if view.failed_status else ""
        remedy = None if fault in view.mendable else ""
        yield ill(
            "webhook.unsound",
            Check.WEBHOOK,
            f"{words}{status}",
            hint=hint,
            remedy=remedy,
            name=name,
        )
