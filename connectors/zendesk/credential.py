"""How we prove to Zendesk who we are: OAuth client credentials, or an API token until they end.

An access token lives in memory only. It is fetched when first needed, renewed before it expires,
and once more when the desk refuses it; many tasks that meet the same refusal renew it once.
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

from connectors.http import FixedCredential, HttpClient, Request
from connectors.zendesk import wire
from connectors.zendesk.settings import ApiToken, OAuth
from syncd.ports import Clock

#: A day; Zendesk takes five minutes to two days.
LIFE_SECONDS = 86_400
#: What an answer without `expires_in` is trusted for.
_SHORTEST_LIFE_SECONDS = 300.0
#: A token is renewed this long before its end, or a tenth of its life if that is less.
_MARGIN_SECONDS = 60.0


def api_token_credential(token: ApiToken) -> FixedCredential:
    """Basic authentication by an API token."""
    pair = f"{token.email}/token:{token.token.get_secret_value()}"
    return FixedCredential(f"Basic {base64.b64encode(pair.encode()).decode()}")


class OAuthCredential:
    """The client credentials grant. `http` is a client of its own, which sends no credential."""

    def __init__(self, oauth: OAuth, *, http: HttpClient, clock: Clock) -> None:
        self._oauth = oauth
        self._http = http
        self._clock = clock
        self._turn = asyncio.Lock()
        self._headers: Mapping[str, str] = {}
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"OAuthCredential({self._oauth.client_id})"

    async def headers(self) -> Mapping[str, str]:
        """The bearer token. Raises what a read may raise."""
        if not self._is_fresh():
            async with self._turn:
                # Whoever waited here finds the token that another task fetched meanwhile.
                if not self._is_fresh():
                    await self._fetch()
        return self._headers

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the refused token, unless it is not the present one any more."""
        if self._headers == refused:
            self._headers = {}
        return True

    def _is_fresh(self) -> bool:
        return bool(self._headers) and self._clock.monotonic() < self._renew_at

    async def _fetch(self) -> None:
        asked_at = self._clock.monotonic()
        request = Request(
            action="fetch access token",
            method="POST",
            template="/oauth/tokens",
            body=wire.encode(
                {
                    "grant_type": "client_credentials",
                    "client_id": self._oauth.client_id,
                    "client_secret": self._oauth.client_secret.get_secret_value(),
                    "scope": self._oauth.scope,
                    # Without it a token has no end, and nobody would notice one that leaked.
                    "expires_in": LIFE_SECONDS,
                }
            ),
            is_anonymous=True,
        )
        # Asking twice gives two tokens and does no harm: this is a read.
        token = (await self._http.read(request, lambda body: wire.decode(body, wire.Token))).value
        life = token.expires_in or _SHORTEST_LIFE_SECONDS
        self._renew_at = asked_at + life - min(_MARGIN_SECONDS, life / 10)
        self._headers = {"authorization": f"Bearer {token.access_token}"}
