"""The log: fixed event names, and never a ticket's text, an address or a secret.

Every event is in `EVENTS`; docs/operations.md says what each means and what to do about it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Literal, cast

import structlog

#: Event name -> what it means, for the reference in the docs.
EVENTS: Mapping[str, str] = {
    "daemon.started": "The daemon began; says how many links it serves.",
    "daemon.ready": "The store is open, the addresses are bound and the workers run.",
    "daemon.stuck": "The engine stands still; `reason` says where. Its supervisor starts it anew.",
    "config.reloaded": "A new configuration is in force from here on; runs are finished first.",
    "config.refused": "A reload found the configuration wrong; the old one stays in force.",
    "daemon.stopping": "A signal came; runs in progress are finished first.",
    "daemon.stopped": "All that had begun is durable; the process ends.",
    "daemon.failed": "A part of the daemon died; the process ends, to be started again.",
    "task.failed": "A bug in something that nobody waits for; the rest goes on.",
    "connection.down": "A desk stopped answering, or taking writes; once until it is back.",
    "connection.up": "The desk answers again, and nothing has failed for a minute.",
    "connection.unauthorised": "The desk refused the credential; its pairs wait, unblamed.",
    "connection.lacks": "The credential lacks a right; `check` says which, `hint` what to do.",
    "connection.limited": "The desk answered 429; nothing is sent in that bucket until its time.",
    "connection.warned": "The desk took a request without a part that it does not know; once each.",
    "customers.alone": "The account does not make users in bulk; each new customer is a request.",
    "feed.polled": "A poll of a change feed brought something.",
    "feed.unreadable": "Rows of a change feed were not understood; their tickets are read anew.",
    "feed.restarted": "The desk did not know its own cursor any more; nothing is skipped by that.",
    "feed.stuck": "A poll failed; the cursor stays where it is and nothing is lost.",
    "webhook.accepted": "A signed webhook was taken into the mirror, durably, before the 202.",
    "webhook.rejected": ("A webhook was refused, and nothing stored; once a minute and cause."),
    "webhook.failed": "A bug: a webhook was answered 500; polling brings what it would have said.",
    "webhook.broken": "A desk's webhook is not as it should be; `faults` say how. Polling goes on.",
    "webhook.sound": "A webhook that was broken is sound again.",
    "webhook.mended": "A managed webhook was made, switched on, widened or given its secret.",
    "webhook.unmended": "A managed webhook could not be mended; `hint` says what it takes.",
    "webhook.missed": "Polling found changes that no webhook announced within a minute.",
    "webhook.unseen": "A desk did not tell of its webhook, or we may not ask; it is asked again.",
    "sweep.repaired": "The slow full comparison found changes that no feed had brought.",
    "pair.reconciled": "A run of a pair ended with both sides in step.",
    "pair.waiting": "A run ended early and comes back at `retry_at`.",
    "pair.parked": "A pair was stopped until a person acts; `reason` and `hint` say why.",
    "pair.ended": "A pair has no effect any more.",
    "store.recovered": "All pairs of an older store have been looked at on both desks.",
    "pair.recovered": "What an older store had forgotten of a pair was found on the desks.",
    "pair.failed": "A bug: the pair was parked with the place of the error.",
    "link.catching_up": "Many pairs of a link waited; their updates share requests from here on.",
    "pair.lease_lost": "Another process owns the pair, or it was stopped; nothing was written.",
    "op.sent": "A write left; the journal had it before.",
    "op.done": "A write was answered.",
    "op.unknown": "A write left and no answer came; it is looked for before the next one leaves.",
    "op.found": "A lost write had landed and was adopted.",
    "op.absent": "A lost write had not landed and never will; the pair is planned again.",
    "op.repeated": "A lost write had not landed and could; the same bytes go again.",
    "op.replaced": "A lost write had not landed; its original was changed, so it is made anew.",
    "op.stale": "The ticket had moved; it is read again.",
    "status.refused": "A desk would not take a status: it waits, comments and tags go on.",
    "op.refused": "The desk refused a write for good.",
    "file.carried": "A file was given to the other desk; its comment attaches it.",
    "file.owed": "A file could not go with its comment; it follows by itself.",
    "file.refused": "A file does not travel; `reason` says why, and so does its comment's copy.",
    "conflict.recorded": "Both sides changed one value; both values are in `syncd conflicts`.",
    "hand_off.moved": "A ticket changed hands; `before` and `after` say from which state to which.",
    "lineage.moved": "A pair goes on in another ticket of the partner's.",
    "ticket.restored": "A ticket that had gone away is back; its pair goes on.",
    "comment.held": "A comment waits for a person, with those behind it.",
    "link.leaked": "A private comment came out public: the link is stopped. Look at once.",
    "link.stopped": "A mass change: the link is stopped until a person confirms it.",
    "link.resumed": "A link that was stopped goes on.",
    "alarm.began": "Something is wrong that people are told of; `kind` and its place say what.",
    "alarm.over": "What people were told of is over.",
    "alarm.told": "A message left over a route; `alarms` are their numbers.",
    "alarm.untold": "A message could not be sent; it is tried again in `retry_seconds`.",
    "backfill.started": "A backfill began.",
    "backfill.finished": "A backfill ended; says what it did.",
}

Format = Literal["json", "console"]

# Control characters, halves of characters, other ends of a line, and what turns or hides text.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


#: What the journal calls our levels; it takes the number off the line and keeps it as a field.
#: https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html
_PRIORITIES: Mapping[str, int] = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure(*, form: Format | Literal["auto"], level: str, stream: object = None) -> None:
    """Set up structlog for this process; `auto` is console on a terminal and JSON elsewhere.

    In systemd's journal each line has its priority, so that `journalctl -p err` finds it.
    """
    target = stream or sys.stderr
    is_terminal = bool(getattr(target, "isatty", lambda: False)())
    is_json = form == "json" or (form == "auto" and not is_terminal)
    # JSON spells such characters by itself.
    rendering: tuple[structlog.types.Processor, ...] = (
        (structlog.processors.JSONRenderer(),)
        if is_json
        else (_spelled, structlog.dev.ConsoleRenderer(colors=is_terminal))
    )
    if journal_mark(target, level):
        rendering = (*rendering, _ranked)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level(level)),
        logger_factory=structlog.WriteLoggerFactory(file=target),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )


def journal_mark(target: object, level: str) -> str:
    """What a line of that level begins with, where systemd says that the stream leads to its
    journal; elsewhere nothing.
    """
    try:
        found = os.fstat(target.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return ""
    is_journal = os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return _mark(level) if is_journal else ""


def _mark(level: str) -> str:
    return f"<{_PRIORITIES.get(level, _PRIORITIES['error'])}>"


def _ranked(_logger: object, method: str, line: object) -> str:
    return f"{_mark(method)}{line}"


def _spelled(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Values as a terminal shows them: an id from a desk may hold what moves its cursor."""
    return {name: _harmless(value) for name, value in event.items()}


def _harmless(value: object) -> object:
    if isinstance(value, bool | int | float | None):
        return value
    text = value if isinstance(value, str) else repr(value)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]


def logger() -> structlog.stdlib.BoundLogger:
    """The logger of this process; its event names are those of `EVENTS`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger())


def leave_run() -> None:
    """From here on the lines of the current task carry no `run_id`: it works for several runs, and
    began with the one that happened to be first.
    """
    structlog.contextvars.unbind_contextvars("run_id")


def place_of(error: BaseException) -> str:
    """File, line and function of the innermost frame: enough to find a bug, and no ticket text."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "?"
    last = frames[-1]
    return f"{last.filename.rsplit('/', maxsplit=1)[-1]}:{last.lineno} {last.name}"
