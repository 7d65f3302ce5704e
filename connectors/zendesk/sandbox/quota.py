"""The account's quotas: buckets in fixed windows, their headers, and the refusals.

A refused request takes from no bucket. Windows shrink by the time scale; `Retry-After` and the
reset headers tell the shrunk, real seconds, rounded up.
https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from connectors.sandbox import Call, Reply, SandboxTime, json_reply, text_reply
from connectors.zendesk.sandbox.errors import Refusal
from connectors.zendesk.sandbox.settings import PLANS, ZendeskSettings

MINUTE: Final = 60.0

_UPDATES = {
    ("PUT", "/api/v2/tickets/{id}"),
    ("PUT", "/api/v2/tickets/{id}/tags"),
    ("POST", "/api/v2/tickets/{id}/tags"),
    ("DELETE", "/api/v2/tickets/{id}/tags"),
}
_USER_UPDATES = {("PUT", "/api/v2/users/{id}"), ("POST", "/api/v2/users/create_or_update")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One bucket a request takes from."""

    # The word in the header; None for a bucket that shows in no header.
    name: str | None
    # What is counted apart, such as one ticket and user.
    key: str
    limit: int
    window_seconds: float
    # What others have taken from the bucket already.
    taken: int = 0
    is_plain_text: bool = False
    what: str = "API requests per minute"


@dataclass(slots=True)
class _Window:
    started: float
    used: int = 0


class Quota:
    """Counts requests of one account."""

    def __init__(self, time: SandboxTime) -> None:
        self._time = time
        self._windows: dict[str, _Window] = {}

    def take(self, call: Call, user_id: int, settings: ZendeskSettings) -> list[Rule]:
        """Count the request in every bucket it touches. Raises Refusal when one is empty."""
        rules = rules_of(call, user_id, settings)
        for rule in rules:
            if self._left(rule) <= 0:
                raise Refusal(self._refusal(rule, rules, settings))
        for rule in rules:
            self._window(rule).used += 1
        return rules

    def take_ui_update(self, settings: ZendeskSettings) -> None:
        """Count a person's update in the account's ticket-update bucket, without refusing it."""
        self._window(_ticket_updates(settings)).used += 1

    def headers(self, rules: list[Rule], settings: ZendeskSettings) -> list[tuple[str, str]]:
        """The quota headers of an answer."""
        is_old = settings.header_spelling == "old"
        shown: list[tuple[str, str]] = []
        for rule in rules:
            left, resets = max(0, self._left(rule)), self._resets(rule)
            if rule.key == "account":
                prefix = "rate-limit" if is_old else "ratelimit"
                shown += [
                    ("x-rate-limit", str(rule.limit)),
                    ("x-rate-limit-remaining", str(left)),
                    (prefix if is_old else f"{prefix}-limit", str(rule.limit)),
                    (f"{prefix}-remaining", str(left)),
                    (f"{prefix}-reset", str(resets)),
                ]
            elif rule.name is not None:
                prefix = "zendesk-rate-limit" if is_old else "zendesk-ratelimit"
                value = f"total={rule.limit}; remaining={left}; resets={resets}"
                shown.append((f"{prefix}-{rule.name}", value))
        return shown

    def forget(self) -> None:
        """All buckets full again."""
        self._windows.clear()

    def state(self) -> dict[str, int]:
        """What has been used of each bucket in its current window."""
        return {key: window.used for key, window in self._windows.items()}

    def _refusal(self, rule: Rule, rules: list[Rule], settings: ZendeskSettings) -> Reply:
        headers = (("retry-after", str(self._resets(rule))), *self.headers(rules, settings))
        description = f"Number of allowed {rule.what} exceeded"
        if rule.is_plain_text:
            reply = text_reply(429, description)
            return replace(reply, headers=(*reply.headers, *headers))
        return json_reply(
            429, {"error": "APIRateLimitExceeded", "description": description}, headers
        )

    def _window(self, rule: Rule) -> _Window:
        now, length = self._time.now(), self._time.shrunk(rule.window_seconds)
        window = self._windows.get(rule.key)
        if window is None or now >= window.started + length:
            window = self._windows[rule.key] = _Window(started=now)
        return window

    def _left(self, rule: Rule) -> int:
        return rule.limit - rule.taken - self._window(rule).used

    def _resets(self, rule: Rule) -> int:
        end = self._window(rule).started + self._time.shrunk(rule.window_seconds)
        return max(0, math.ceil(end - self._time.now()))


def rules_of(call: Call, user_id: int, settings: ZendeskSettings) -> list[Rule]:
    """The buckets a request takes from, the account's own first."""
    rules = [_account(settings)]
    route = (call.method, call.template)
    if route in _UPDATES:
        ticket_id = call.parameters["id"]
        rules += [
            _ticket_updates(settings),
            Rule(
                name="per-ticket-updates",
                key=f"ticket:{ticket_id}:{user_id}",
                limit=settings.updates_per_ticket,
                window_seconds=10 * MINUTE,
                is_plain_text=True,
                what="ticket updates per ticket",
            ),
        ]
    elif call.template.startswith("/api/v2/incremental/"):
        rules.append(_exports(settings))
    elif route in _USER_UPDATES:
        rules.append(
            Rule(
                name=None,
                key="user-updates",
                limit=settings.user_updates_per_second,
                window_seconds=1,
                what="user updates per second",
            )
        )
    else:
        rules += [
            Rule(name=name, key=name, limit=limit, window_seconds=MINUTE)
            for (method, template), name, limit in _PLAIN_BUCKETS
            if route == (method, template)
        ]
    return rules


_PLAIN_BUCKETS: Final = (
    (("DELETE", "/api/v2/tickets/{id}"), "tickets-destroy", 400),
    (("GET", "/api/v2/deleted_tickets"), "deleted-tickets-index", 10),
    (("GET", "/api/v2/tickets"), "tickets-index", 100),
    (("GET", "/api/v2/search"), "search-index", 2500),
)


def _account(settings: ZendeskSettings) -> Rule:
    limit = settings.requests_per_minute or PLANS[settings.plan]
    return Rule(
        name=None,
        key="account",
        limit=limit,
        window_seconds=MINUTE,
        taken=settings.others_per_minute,
    )


def _ticket_updates(settings: ZendeskSettings) -> Rule:
    by_plan = 300 if settings.plan == "high_volume" else 100
    return Rule(
        name="tickets-update",
        key="tickets-update",
        limit=settings.ticket_updates_per_minute or by_plan,
        window_seconds=MINUTE,
        what="ticket updates per minute",
    )


def _exports(settings: ZendeskSettings) -> Rule:
    by_plan = 30 if settings.plan == "high_volume" else 10
    return Rule(
        name="incremental-exports" if settings.shows_export_bucket else None,
        key="incremental-exports",
        limit=settings.exports_per_minute or by_plan,
        window_seconds=MINUTE,
        what="incremental export API requests per minute",
    )
