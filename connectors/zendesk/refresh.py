"""The refresh token grant: each refresh token is used once, and its successor is kept before use.

The old pair dies when the desk makes a new one. So a renewal is noted durably before it leaves, is
sent once, and its answer is on disk before the new access token is. Whoever is cut off between the
desk's answer and the disk has lost the token; the error then says so, and a person authorises anew.
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from connectors.http import HttpClient, Request
from connectors.zendesk import wire
from connectors.zendesk.kept_tokens import TokenFile, Tokens, fingerprint
from connectors.zendesk.settings import OAuth
from syncd.core.errors import OutcomeUnknown, RemoteError, Unauthorised, Unreachable
from syncd.core.model import ConnectionName
from syncd.ports import Clock

#: A day; Zendesk takes five minutes to two days.
LIFE_SECONDS = 86_400
#: Zendesk takes less than ninety days.
REFRESH_SECONDS = 89 * 86_400
#: Nobody believes in a longer life; beyond year 9999 it could not even be shown.
_LONGEST_LIFE_SECONDS = 10 * 365 * 86_400.0
#: What an answer without `expires_in` is trusted for.
_SHORTEST_LIFE_SECONDS = 300.0
#: A token is renewed this long before its end, or a tenth of its life if that is less.
_MARGIN_SECONDS = 60.0
_AGAIN = "Authorise syncd in Zendesk once more, and give the new one as `oauth.refresh_token`."


class RefreshCredential:
    """One connection's tokens, shared by file with other processes of the same store."""

    def __init__(
        self,
        name: ConnectionName,
        oauth: OAuth,
        *,
        http: HttpClient,
        clock: Clock,
        kept: TokenFile,
    ) -> None:
        """`http` is a client of its own, which sends no credential."""
        assert oauth.refresh_token is not None  # noqa: S101 - the caller chose by it
        self._name = name
        self._oauth = oauth
        self._http = http
        self._clock = clock
        self._kept = kept
        self._first = fingerprint(oauth.refresh_token.get_secret_value())
        self._turn = asyncio.Lock()
        self._tokens: Tokens | None = None
        #: What the desk has given and no disk has taken yet: the old pair is dead by then.
        self._owed: Tokens | None = None
        self._refused = ""

    def __repr__(self) -> str:
        return f"RefreshCredential({self._oauth.client_id})"

    @property
    def ends_at(self) -> datetime | None:
        """When the refresh token in use ends unless it is renewed before; None if nobody said."""
        ends_at = self._present().refresh_ends_at
        return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC)

    async def headers(self) -> Mapping[str, str]:
        """The bearer token. Raises `Unauthorised`, `Unreachable` or `RateLimited`."""
        if self._tokens is None or not self._is_usable(self._tokens):
            async with self._turn, self._locked():
                self._keep_owed()
                # Another task or process may have renewed it meanwhile.
                self._tokens = self._present()
                if not self._is_usable(self._tokens):
                    self._tokens = await self._rotate(self._tokens)
        return {"authorization": f"Bearer {self._tokens.access_token}"}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Use the refused token no more; another process may have rotated it away."""
        self._refused = refused.get("authorization", "").removeprefix("Bearer ")
        return True

    def _is_usable(self, tokens: Tokens) -> bool:
        is_known = bool(tokens.access_token) and tokens.access_token != self._refused
        return is_known and self._now() < tokens.access_ends_at

    def _present(self) -> Tokens:
        """The pair that the configured token led to, or that token itself."""
        kept = self._kept.read()
        if kept is not None and kept.first == self._first:
            return kept
        assert self._oauth.refresh_token is not None  # noqa: S101 - checked when we were made
        token = self._oauth.refresh_token.get_secret_value()
        return Tokens(first=self._first, refresh_token=token)

    async def _rotate(self, tokens: Tokens) -> Tokens:
        began_at = self._now()
        # Says after a crash why the token is dead; and if it cannot be written, nothing is lost.
        self._keep(
            Tokens(
                first=self._first,
                refresh_token=tokens.refresh_token,
                refresh_ends_at=tokens.refresh_ends_at,
                renewing_at=began_at,
            )
        )
        try:
            answer = await self._ask(tokens.refresh_token)
        except Unauthorised as error:
            raise self._dead(tokens, error) from error
        except OutcomeUnknown as error:
            # Whether the old token still lives shows at the next try, which costs nothing.
            raise Unreachable(
                "the renewal of the access token was not answered",
                connection=self._name,
                action="renew access token",
                status=error.status,
                hint="If the next try is refused, the token was lost on the way. " + _AGAIN,
            ) from error
        except RemoteError:
            self._keep(tokens)
            raise
        life = answer.expires_in or _SHORTEST_LIFE_SECONDS
        refresh_life = answer.refresh_token_expires_in
        renewed = Tokens(
            first=self._first,
            # A desk that does not rotate lets the old one live.
            refresh_token=answer.refresh_token or tokens.refresh_token,
            refresh_ends_at=None if refresh_life is None else began_at + _sane(refresh_life),
            access_token=answer.access_token,
            access_ends_at=began_at + life - min(_MARGIN_SECONDS, life / 10),
        )
        self._owed = renewed
        self._keep_owed()
        return renewed

    async def _ask(self, refresh_token: str) -> wire.Token:
        request = Request(
            action="renew access token",
            method="POST",
            template="/oauth/tokens",
            body=wire.encode(
                {
                    "grant_type": "refresh_token",
                    "refresh_token": refresh_token,
                    "client_id": self._oauth.client_id,
                    "client_secret": self._oauth.client_secret.get_secret_value(),
                    "scope": self._oauth.scope,
                    "expires_in": LIFE_SECONDS,
                    "refresh_token_expires_in": REFRESH_SECONDS,
                }
            ),
            is_anonymous=True,
        )
        # A read would be sent again by itself, and the first answer lost with the new token.
        return (await self._http.write(request, lambda body: wire.decode(body, wire.Token))).value

    def _dead(self, tokens: Tokens, error: Unauthorised) -> Unauthorised:
        if "invalid_grant" not in str(error):
            return error
        hint = f"Each refresh token is valid once, and for a limited time. {_AGAIN}"
        if tokens.renewing_at is not None:
            at = datetime.fromtimestamp(tokens.renewing_at, UTC)
            hint = (
                f"A renewal at {at:%Y-%m-%d %H:%M UTC} was cut off before its answer was kept, so"
                f" the token is lost. {_AGAIN}"
            )
        return Unauthorised(
            "not allowed, the refresh token is not valid any more",
            connection=self._name,
            action="renew access token",
            status=error.status,
            request_id=error.request_id,
            hint=hint,
        )

    def _keep_owed(self) -> None:
        if self._owed is not None:
            self._keep(self._owed)
            self._owed = None

    def _keep(self, tokens: Tokens) -> None:
        try:
            self._kept.write(tokens)
        except OSError as error:
            raise self._unkept() from error

    @contextlib.asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._kept.locked())
            except OSError as error:
                raise self._unkept() from error
            yield

    def _unkept(self) -> Unauthorised:
        return Unauthorised(
            "the access token cannot be renewed, because its successor could not be kept",
            connection=self._name,
            action="renew access token",
            hint=f"Run syncd as the user who may write {self._kept.path.parent}, with space there.",
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _sane(seconds: float) -> float:
    return min(max(seconds, 0.0), _LONGEST_LIFE_SECONDS)
