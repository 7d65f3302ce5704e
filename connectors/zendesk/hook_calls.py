"""Zendesk's webhook endpoints that are used, each as one typed call; `hook` knows what they mean.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec

from connectors.http import Answered, HttpClient, Request
from connectors.zendesk import wire
from connectors.zendesk.mapping import to_stamp
from connectors.zendesk.paging import PAGE_SIZE, pages

T = TypeVar("T")

_HOOK = "/api/v2/webhooks/{id}"


class HookRow(msgspec.Struct, kw_only=True):
    """A webhook of the account."""

    id: str
    name: str = ""
    endpoint: str = ""
    status: str = ""
    subscriptions: list[str] = []


class HookRows(msgspec.Struct, kw_only=True):
    """A page of the account's webhooks."""

    webhooks: list[HookRow]
    meta: wire.Meta | None = None


class HookAnswer(msgspec.Struct, kw_only=True):
    """The answer to a creation."""

    webhook: HookRow


class SigningSecret(msgspec.Struct, kw_only=True):
    """What deliveries are signed with."""

    secret: str


class SecretAnswer(msgspec.Struct, kw_only=True):
    """A webhook's secret."""

    signing_secret: SigningSecret


class Invocation(msgspec.Struct, kw_only=True):
    """One event on its way to us, and how its latest try ended."""

    status: str = ""
    status_code: int | None = None
    latest_completed_at: str | None = None


class InvocationRows(msgspec.Struct, kw_only=True):
    """A page of a webhook's recent deliveries."""

    invocations: list[Invocation]


class HookCalls:
    """The webhooks of one account. Every call may raise what `HttpClient` does."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def hooks(self) -> tuple[Sequence[HookRow], datetime | None]:
        """All webhooks of the account, and the desk's time of the answer."""
        request = Request(action="list webhooks", template="/api/v2/webhooks")
        read = await pages(request, lambda each: self._read(each, HookRows))
        return [row for page in read for row in page.value.webhooks], read[-1].date

    async def secret(self, hook_id: str) -> str:
        """The secret that a webhook signs with."""
        request = Request(
            action="read webhook secret",
            template=f"{_HOOK}/signing_secret",
            parameters={"id": hook_id},
        )
        return (await self._read(request, SecretAnswer)).value.signing_secret.secret

    async def invocations(self, hook_id: str, *, since: datetime) -> Sequence[Invocation]:
        """Up to a hundred deliveries since a time of the desk's, in no promised order."""
        request = Request(
            action="read webhook deliveries",
            template=f"{_HOOK}/invocations",
            parameters={"id": hook_id},
            query=(("filter[from_ts]", to_stamp(since)), ("page[size]", PAGE_SIZE)),
        )
        return (await self._read(request, InvocationRows)).value.invocations

    async def create(self, *, name: str, endpoint: str, subscriptions: Iterable[str]) -> str:
        """Make a webhook; its id. Whether it calls by events or by triggers is fixed from now."""
        wanted = {
            "name": name,
            "description": "Made and looked after by syncd.",
            "endpoint": endpoint,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": sorted(subscriptions),
        }
        request = Request(
            action="create webhook",
            method="POST",
            template="/api/v2/webhooks",
            body=wire.encode({"webhook": wanted}),
        )
        return (await self._http.write(request, partial(_decode, HookAnswer))).value.webhook.id

    async def change(self, hook_id: str, changes: wire.Loose) -> None:
        """Change what is named and nothing else."""
        request = Request(
            action="change webhook",
            method="PATCH",
            template=_HOOK,
            parameters={"id": hook_id},
            body=wire.encode({"webhook": changes}),
        )
        await self._http.write(request, _nothing)

    async def _read(self, request: Request, kind: type[T]) -> Answered[T]:
        return await self._http.read(request, partial(_decode, kind))


def _decode(kind: type[T], body: bytes) -> T:
    return wire.decode(body, kind)


def _nothing(body: bytes) -> None:
    del body
