"""Who is calling: API token, OAuth bearer, scopes, and the endpoint that hands tokens out.

Tokens live by the clock, not by the time scale. Refreshing kills the old pair.
https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectors.sandbox import Call, Reply, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import (
    bad_token,
    not_authenticated,
    out_of_scope,
)
from connectors.zendesk.sandbox.records import Json, User
from connectors.zendesk.sandbox.wire import stamp

SHORTEST_SECONDS, LONGEST_SECONDS = 300, 172_800
REFRESH_SECONDS = 30 * 86_400
SHORTEST_REFRESH_SECONDS, LONGEST_REFRESH_SECONDS = 7 * 86_400, 90 * 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """An access token, with the refresh token of its pair if there is one."""

    id: int
    access: str
    refresh: str | None
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    user_id: int
    refresh_expires_at: int | None = None


class Credentials:
    """The tokens of one account's integration user."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._by_access: dict[str, Token] = {}
        self._by_refresh: dict[str, Token | None] = {account.settings.oauth_refresh_token: None}
        self._count = 0

    def caller(self, call: Call) -> tuple[User, tuple[str, ...]]:
        """The user behind the request and the scopes. Raises Refusal."""
        kind, _, secret = call.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            return self._by_api_token(secret), ("read", "write")
        if kind.lower() == "bearer":
            token = self._valid(secret)
            return self._account.users[token.user_id], token.scopes
        raise not_authenticated()

    def current(self, call: Call) -> Json:
        """The bearer token of this very request, as `oauth/tokens/current` shows it."""
        token = self._valid(call.headers.get("authorization", "").partition(" ")[2])
        return {
            "token": {
                "id": token.id,
                "url": f"{call.base_url}/api/v2/oauth/tokens/{token.id}.json",
                "client_id": 33144692280001,
                "user_id": token.user_id,
                "token": token.access[:10],
                "refresh_token": None if token.refresh is None else token.refresh[:10],
                "refresh_token_expires_at": stamp(token.refresh_expires_at),
                "scopes": list(token.scopes),
                "created_at": stamp(token.created_at),
                "expires_at": stamp(token.expires_at),
                "used_at": stamp(self._account.second()),
            }
        }

    def grant(self, call: Call) -> Reply:
        """`POST /oauth/tokens`: client credentials, or a refresh token for a new pair."""
        asked = _form_or_json(call)
        settings = self._account.settings
        if (asked.get("client_id"), asked.get("client_secret")) != (
            settings.oauth_client_id,
            settings.oauth_client_secret,
        ):
            return _oauth_error(401, "invalid_client", "Client authentication failed")
        seconds = int(asked.get("expires_in") or settings.oauth_expires_in_seconds)
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            return _oauth_error(400, "invalid_request", "expires_in is out of range")
        scopes = tuple(str(asked.get("scope") or "read write").split())
        match asked.get("grant_type"):
            case "client_credentials":
                return self._hand_out(scopes, seconds)
            case "refresh_token":
                return self._rotate(asked, scopes, seconds)
            case _:
                return _oauth_error(400, "unsupported_grant_type", "Grant type is not supported")

    def _rotate(self, asked: Json, scopes: tuple[str, ...], seconds: int) -> Reply:
        """A new pair; the old one is dead from now on, whoever gets this answer."""
        life = int(asked.get("refresh_token_expires_in") or REFRESH_SECONDS)
        if not SHORTEST_REFRESH_SECONDS <= life < LONGEST_REFRESH_SECONDS:
            return _oauth_error(400, "invalid_request", "refresh_token_expires_in is out of range")
        refresh = str(asked.get("refresh_token"))
        now = self._account.second()
        old = self._by_refresh.get(refresh)
        is_over = old is not None and (old.refresh_expires_at or 0) <= now
        if refresh not in self._by_refresh or is_over:
            return _oauth_error(400, "invalid_grant", "The refresh token is invalid")
        del self._by_refresh[refresh]
        if old is not None:
            self._by_access.pop(old.access, None)
        return self._hand_out(scopes, seconds, refresh_seconds=life)

    def revoke_all(self) -> int:
        """Kill every access token; refresh tokens live on. Returns how many died."""
        count = len(self._by_access)
        self._by_access.clear()
        return count

    def _by_api_token(self, encoded: str) -> User:
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise not_authenticated() from error
        name, _, secret = decoded.partition(":")
        email = name.removesuffix("/token")
        user = self._account.user_by_email(email)
        if email == name or user is None or secret != self._account.settings.api_token:
            raise not_authenticated()
        return user

    def _valid(self, access: str) -> Token:
        token = self._by_access.get(access)
        if token is None or token.expires_at <= self._account.second():
            raise bad_token()
        return token

    def _hand_out(
        self, scopes: tuple[str, ...], seconds: int, *, refresh_seconds: int | None = None
    ) -> Reply:
        self._count += 1
        now = self._account.second()
        owner = self._account.integration
        if owner is None:
            return _oauth_error(401, "invalid_client", "The client has no user")
        token = Token(
            id=self._account.new_id(),
            access=f"sandbox-access-{self._count:08d}",
            refresh=f"sandbox-refresh-{self._count:08d}" if refresh_seconds is not None else None,
            scopes=scopes,
            created_at=now,
            expires_at=now + seconds,
            user_id=owner.id,
            refresh_expires_at=None if refresh_seconds is None else now + refresh_seconds,
        )
        self._by_access[token.access] = token
        answer: Json = {
            "access_token": token.access,
            "token_type": "bearer",
            "scope": " ".join(scopes),
            "expires_in": seconds,
        }
        if token.refresh is not None:
            self._by_refresh[token.refresh] = token
            answer |= {"refresh_token": token.refresh, "refresh_token_expires_in": refresh_seconds}
        return json_reply(self._account.settings.oauth_token_status, answer)


def check_scope(call: Call, scopes: tuple[str, ...]) -> None:
    """Raises Refusal when the scopes do not cover the request.

    A scope Zendesk does not know still yields a token, which then may do nothing.
    """
    access = "write" if call.is_write else "read"
    resource = call.path.removeprefix("/api/v2/").split("/")[0].split(".")[0]
    of_tickets = {"incremental", "imports", "deleted_tickets", "job_statuses", "uploads"}
    resource = "tickets" if resource in of_tickets else resource
    if not {access, f"{resource}:{access}"} & set(scopes):
        raise out_of_scope()


def _form_or_json(call: Call) -> Json:
    content_type = call.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(call.body.decode("utf-8", "replace")))
    try:
        value = json.loads(call.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _oauth_error(status: int, error: str, description: str) -> Reply:
    return json_reply(status, {"error": error, "error_description": description})
