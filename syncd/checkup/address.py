"""Ask a webhook's public address something that no desk would ask, to see who answers.

A daemon of ours refuses it by its method, before any signature, without a trace in its log.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from syncd.doctor.webhook import Knock
from syncd.line import fault_of
from syncd.settings import is_loopback


def knock(endpoint: str, *, seconds: float) -> Knock:
    """Who answers at the address; blocks for no longer than `seconds` for each step."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_here(endpoint):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(endpoint, headers={"User-Agent": "syncd"})  # noqa: S310 - https, or this machine
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=seconds) as answer:
            return Knock(status=answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return Knock(status=error.code)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Knock(fault=fault_of(error))


def is_here(address: str) -> bool:
    """Whether an address never leaves this machine."""
    return is_loopback(urlsplit(address).hostname or "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever sends a webhook elsewhere loses it: desks do not follow."""

    def redirect_request(self, *_: object) -> None:
        return None
