"""What the running daemon says of itself at /healthz, for reports that the store cannot answer.

Asked on this machine alone, never through a proxy and for no longer than a moment: a report does
not wait for a daemon. What it says is shown like all text from outside.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping

from syncd.cli.report import Row

_SECONDS = 1.0
_MOST_BYTES = 1 << 20
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
    """A row for each connection: how it does, and how often its desk refused us for a quota."""
    budgets = _part(word, "budgets")
    rows: list[Row] = []
    for name, condition in sorted(_part(word, "connections").items()):
        quotas = [each for each in _part(budgets, name).values() if isinstance(each, dict)]
        told = condition if isinstance(condition, dict) else {}
        rows.append(
            {
                "connection": str(name),
                "state": str(told.get("state", "")),
                "since": str(told.get("since", "")) or None,
                "last_error": str(told.get("last_error", "")) or None,
                "refused": sum(_number(quota.get("refused")) for quota in quotas),
                "paused_seconds": max(
                    (_number(q.get("paused_seconds")) for q in quotas), default=0
                ),
            }
        )
    return rows


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another place is not the daemon."""

    def redirect_request(self, *_: object) -> None:
        return None


def _part(whole: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
