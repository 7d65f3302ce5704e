"""A careful person's webhook handler: reads before it writes, so that it overwrites nobody.

The event is at hand; what it lacks is read, the other ticket's stamp is read, and the write carries
that stamp. It keeps no journal and would double a comment when an answer is lost.
"""

from __future__ import annotations

import uuid

import requests

from tests.bench.figure import Json

_SECONDS = 10.0


class CarefulHandler:
    """One Zendesk account and the platform, by `requests`."""

    def __init__(self, *, platform: str, token: str, partner: str, auth: tuple[str, str]) -> None:
        self._platform_url, self._partner_url = platform, partner
        self._platform, self._partner = requests.Session(), requests.Session()
        self._platform.headers["authorization"] = f"Bearer {token}"
        self._partner.auth = auth
        for session in (self._platform, self._partner):
            session.trust_env = False

    def to_partner(self, ticket_id: str, change: Json) -> None:
        """Write a change, such as `{"status": "open"}`, to the Zendesk ticket."""
        url = f"{self._partner_url}/api/v2/tickets/{ticket_id}"
        shown = self._partner.get(url, timeout=_SECONDS).json()["ticket"]
        if "add_tags" in change:
            change = {"tags": sorted({*shown["tags"], *change["add_tags"]})}
        body = {**change, "safe_update": True, "updated_stamp": shown["updated_at"]}
        self._partner.put(url, json={"ticket": body}, timeout=_SECONDS).raise_for_status()

    def to_platform(self, ticket_id: str, change: Json) -> None:
        """Write a change to the platform's ticket."""
        url = f"{self._platform_url}/tickets/{ticket_id}"
        version = self._platform.get(url, timeout=_SECONDS).headers["etag"]
        written = self._platform.put(
            f"{url}/updates/{uuid.uuid4().hex}",
            json={**change, "notify": True},
            headers={"if-match": version},
            timeout=_SECONDS,
        )
        written.raise_for_status()

    def newest_comment(self, ticket_id: str) -> str:
        """The HTML of the newest comment in Zendesk, which its webhook did not carry."""
        url = f"{self._partner_url}/api/v2/tickets/{ticket_id}/comments?sort=-created_at"
        comments = self._partner.get(url, timeout=_SECONDS).json()["comments"]
        html: str = max(comments, key=lambda one: int(one["id"]))["html_body"]
        return html
