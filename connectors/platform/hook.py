"""The webhook by which a platform calls us: found, judged and mended by one `PUT`.

We choose its id, from our address, so that two installations with one token never meet. The
platform never shows the secret: whether it signs with ours shows in its deliveries alone. Without
a configured one a managed connection derives it from the token, so that no two processes differ.
"""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus

from connectors.platform import wire
from connectors.platform.client import PlatformClient
from connectors.platform.settings import Settings
from syncd.core.errors import Rejected, Unauthorised
from syncd.core.hook import HookFault, HookView
from syncd.core.model import ConnectionName

#: Of the 64 characters that an id may have, what is left for the connection's name.
_LONGEST_NAME = 40


class PlatformHook:
    """Implements `syncd.ports.HookDesk`."""

    def __init__(self, name: ConnectionName, settings: Settings, client: PlatformClient) -> None:
        self._connection = name
        self._client = client
        given = settings.webhook_secret
        self._secret = "" if given is None else given.get_secret_value()
        if settings.is_managed and not self._secret:
            token = settings.token.get_secret_value().encode()
            self._secret = hmac.new(token, f"syncd webhook {name}".encode(), "sha256").hexdigest()

    def __repr__(self) -> str:
        return f"PlatformHook({self._connection})"

    @property
    def secret(self) -> str:
        """What deliveries have to be signed with; empty where there is none."""
        return self._secret

    @property
    def has_secret(self) -> bool:
        return bool(self._secret)

    async def look(
        self, endpoint: str, *, is_doubted: bool = False, within_seconds: float = 0.0
    ) -> HookView:
        """One request. The contract has no list of deliveries: only wrong signatures tell."""
        del within_seconds
        try:
            hook = await self._client.webhook(self._id(endpoint))
        except Unauthorised as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return HookView(endpoint=endpoint, faults=(HookFault.UNREADABLE,))
        if hook is None or hook.url != endpoint:
            return HookView(endpoint=endpoint, faults=(HookFault.MISSING,))
        faults = []
        if not wire.EVENTS.issubset(hook.events):
            faults.append(HookFault.LACKS_EVENTS)
        if is_doubted:
            faults.append(HookFault.WRONG_SECRET)
        return HookView(endpoint=endpoint, hook_id=hook.id, faults=tuple(faults))

    async def mend(self, view: HookView, *, may_move: bool = False) -> None:
        """One write; the same one again changes nothing."""
        del may_move
        if not view.mendable and HookFault.WRONG_SECRET not in view.faults:
            return
        if not self._secret:
            raise Rejected(
                "there is no secret to sign with",
                connection=self._connection,
                action="put webhook",
                hint="Give the connection a `webhook_secret`, or `webhooks: managed`.",
            )
        wanted = wire.NewWebhook(url=view.endpoint, secret=self._secret)
        await self._client.put_webhook(self._id(view.endpoint), wanted)

    async def reveal(self, view: HookView) -> str | None:
        """The secret that we chose."""
        del view
        return self._secret or None

    def _id(self, endpoint: str) -> str:
        return webhook_id(self._connection, endpoint)


def webhook_id(connection: ConnectionName, endpoint: str) -> str:
    """By which a connection knows its webhook to that address again."""
    place = hashlib.sha256(endpoint.encode()).hexdigest()[:12]
    return f"syncd-{connection[:_LONGEST_NAME]}-{place}"
