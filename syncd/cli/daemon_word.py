"""What the running daemon says of itself at /healthz, for reports that the store cannot answer.

Asked on this machine alone, never through a proxy and for no longer than a moment: a report does
not wait for a daemon. What it says is shown like all text from outside.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import datetime

from syncd.cli.report import Cell, Row
from syncd.core.figures import ConnectionFigures, ConnectionState, DaemonFigures
from syncd.core.model import ConnectionName

_SECONDS = 1.0
#: Thirty connections with every endpoint that a label may have come to a fifth of it.
_MOST_BYTES = 4 << 20
_STATES = {state.value: state for state in ConnectionState}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared, not bound


def daemon_word(listen: str) -> Mapping[str, object] | None:
    """The daemon's own account; None where none answers at the address of `server.listen`."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) == 0:
        return None
    address = f"http://{_EVERYWHERE.get(host, host)}:{port}/healthz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(address, timeout=_SECONDS) as answer:
            said = json.loads(answer.read(_MOST_BYTES))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return said if isinstance(said, dict) else None


def connection_rows(word: Mapping[str, object]) -> list[Row]:
    """A row for each connection: how it does, what of its quotas is used, how often its desk
    refused us for one.
    """
    budgets, hooks = _part(word, "budgets"), _part(word, "webhooks")
    rows: list[Row] = []
    for name, condition in sorted(_part(word, "connections").items()):
        buckets = sorted(_part(budgets, name).items())
        quotas = [_quota(bucket, told) for bucket, told in buckets if isinstance(told, dict)]
        told = condition if isinstance(condition, dict) else {}
        rows.append(
            {
                "connection": str(name),
                "state": str(told.get("state", "")),
                "since": _moment(told.get("since")),
                "last_error": str(told.get("last_error", "")) or None,
                "polled_at": _moment(told.get("polled_at")),
                "poll_seconds": _number(told.get("poll_seconds")),
                "quotas": quotas,
                "refused": sum(_number(quota["refused"]) for quota in quotas),
                "paused_seconds": max((_number(q["paused_seconds"]) for q in quotas), default=0),
                "webhook": str(_part(hooks, name).get("state", "")) or None,
                "webhook_faults": _words(_part(hooks, name).get("faults")),
                "missed": _number(_part(hooks, name).get("missed")),
            }
        )
    return rows


def connection_figures(rows: Sequence[Row]) -> list[ConnectionFigures]:
    """The same rows as values that can be judged; what is not understood counts as not known."""
    return [
        ConnectionFigures(
            connection=ConnectionName(str(row["connection"])),
            state=_STATES.get(str(row["state"]), ConnectionState.UNTRIED),
            since=_same_moment(row["since"]),
            polled_at=_same_moment(row["polled_at"]),
            poll_seconds=float(_number(row["poll_seconds"])),
            webhook_state=str(row["webhook"] or ""),
            webhook_faults=tuple(_words(row["webhook_faults"])),
            missed=_number(row["missed"]),
        )
        for row in rows
    ]


def daemon_figures(word: Mapping[str, object]) -> DaemonFigures:
    """How the process itself is doing."""
    told = _part(word, "daemon")
    return DaemonFigures(
        has_begun=bool(told.get("has_begun", word.get("ready") is True)),
        is_stopping=told.get("is_stopping") is True,
        standstill=str(told.get("standstill") or ""),
        is_store_well=told.get("is_store_well") is not False,
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another place is not the daemon."""

    def redirect_request(self, *_: object) -> None:
        return None


def _part(whole: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _quota(bucket: str, told: Mapping[str, object]) -> dict[str, Cell]:
    left = told.get("left")
    return {
        "bucket": str(bucket),
        **{key: _number(told.get(key)) for key in ("limit", "ours", "used")},
        "left": None if left is None else _number(left),
        **{key: _number(told.get(key)) for key in ("refused", "paused_seconds")},
    }


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _moment(value: object) -> datetime | None:
    """A moment as JSON has it; None for anything that is not one."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _same_moment(value: Cell) -> datetime | None:
    return value if isinstance(value, datetime) else None
