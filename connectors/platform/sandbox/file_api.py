"""`/attachments` of the public contract: give a file, read its bytes and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.platform.sandbox import wire
from connectors.platform.sandbox.model import Attachment, Token
from connectors.platform.sandbox.refusal import bad_request, not_found
from connectors.platform.sandbox.register import Register
from connectors.sandbox import Call, Reply, Route, json_reply

ATTACHMENT_ID = re.compile(r"[A-Za-z0-9._:~-]{1,128}")
LONGEST_NAME = 255
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f/\\\\]")


class FileApi:
    """Handlers; `caller` lets a token with that scope in."""

    def __init__(self, register: Register, caller: Callable[[Call, str], Token]) -> None:
        self._register = register
        self._caller = caller

    def routes(self) -> list[Route]:
        """The contract's paths."""
        return [
            Route("GET", "/attachments/{attachment_id}", self.show),
            Route("GET", "/attachments/{attachment_id}/content", self.content),
            Route("PUT", "/attachments/{attachment_id}/content", self.put),
        ]

    def show(self, call: Call) -> Reply:
        """What is known of a file."""
        found = self._visible(call)
        return json_reply(200, {"attachment": wire.attachment_json(found)})

    def content(self, call: Call) -> Reply:
        """The bytes, or the way to them."""
        found = self._visible(call)
        if found.content is None:
            raise not_found()
        if host := self._register.files.host:
            location = f"{host}/{found.id}?signature=s3cret"
            return Reply(status=302, headers=(("location", location),))
        headers = (("content-type", found.content_type), ("x-content-type-options", "nosniff"))
        return Reply(status=200, headers=headers, body=found.content)

    def put(self, call: Call) -> Reply:
        """Keep a file for a comment to come."""
        token = self._caller(call, "tickets:write")
        attachment_id = call.parameters["attachment_id"]
        if not ATTACHMENT_ID.fullmatch(attachment_id):
            raise bad_request("attachment_id", "1 to 128 letters, digits, or any of . _ : ~ -")
        name = call.value("name") or ""
        if not name.strip() or len(name) > LONGEST_NAME or _UNSAFE_NAME.search(name):
            raise bad_request("name", "1 to 255 characters, no path and no control characters.")
        kind = call.headers.get("content-type", "application/octet-stream")
        kept, is_new = self._register.files.put(
            token, attachment_id, name, kind, call.body, at=self._register.now_at()
        )
        return json_reply(201 if is_new else 200, {"attachment": wire.attachment_json(kept)})

    def _visible(self, call: Call) -> Attachment:
        token = self._caller(call, "tickets:read")
        found = self._register.files.get(call.parameters["attachment_id"])
        if found is None or not self._may_read(found, token):
            raise not_found()
        return found

    def _may_read(self, file: Attachment, token: Token) -> bool:
        if self._register.files.is_of(token, file.id):
            return True
        return any(
            update.comment is not None
            and file in update.comment.attachments
            and wire.may_read(update.comment, update.actor, token)
            for ticket in self._register.tickets.values()
            if ticket.seen_views & token.views
            for update in ticket.updates
        )
