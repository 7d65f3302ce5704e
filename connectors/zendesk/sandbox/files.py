"""Uploads and attachments.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_attribute, invalid_field, not_found
from connectors.zendesk.sandbox.records import Attachment, Upload
from connectors.zendesk.sandbox.request import number_in_path
from connectors.zendesk.sandbox.wire import attachment_json, stamp

UPLOAD_SECONDS = 3600
LARGEST_BYTES = 50 * 1024 * 1024
CONTENT_PATH = "/attachments/token/{key}/"


class FileRoutes:
    """Upload and attachment endpoints of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._by_key: dict[str, Attachment] = {}

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        return [
            Route("POST", "/api/v2/uploads", self.upload),
            Route("DELETE", "/api/v2/uploads/{token}", self.forget),
            Route("GET", "/api/v2/attachments/{id}", self.show),
            Route("GET", CONTENT_PATH, self.content),
        ]

    def upload(self, call: Call) -> Reply:
        """Keep a file under a token; the answer is JSON under the type text/plain."""
        if not (name := call.value("filename")):
            raise invalid_attribute("filename", "Invalid parameter: filename is required")
        if len(call.body) > LARGEST_BYTES:
            raise invalid_field("attachment", "Attachment: is too large", "AttachmentTooLarge")
        attachment_id = self._account.new_id()
        key = hashlib.sha256(str(attachment_id).encode()).hexdigest()[:25]
        attachment = Attachment(
            id=attachment_id,
            file_name=name,
            content_type=call.headers.get("content-type", "application/octet-stream"),
            content=call.body,
            key=key,
        )
        self._by_key[key] = attachment
        self._account.attachments[attachment.id] = attachment
        token = call.value("token") or f"upload{key}"
        expires_at = self._account.second() + UPLOAD_SECONDS
        upload = self._account.uploads.setdefault(token, Upload(token=token, expires_at=expires_at))
        upload.attachments.append(attachment)
        rows = [attachment_json(one, call.base_url) for one in upload.attachments]
        reply = json_reply(
            201,
            {
                "upload": {
                    "token": token,
                    "expires_at": stamp(upload.expires_at),
                    "attachment": rows[-1],
                    "attachments": rows,
                }
            },
        )
        rest = [header for header in reply.headers if header[0] != "content-type"]
        return replace(reply, headers=(("content-type", "text/plain; charset=utf-8"), *rest))

    def forget(self, call: Call) -> Reply:
        """Drop a token nothing has used."""
        if self._account.uploads.pop(call.parameters["token"], None) is None:
            raise not_found()
        return Reply(status=204)

    def show(self, call: Call) -> Reply:
        """What is known of a file."""
        attachment = self._account.attachments.get(number_in_path(call))
        if attachment is None:
            raise not_found()
        return json_reply(200, {"attachment": attachment_json(attachment, call.base_url)})

    def content(self, call: Call) -> Reply:
        """The file itself."""
        attachment = self._by_key.get(call.parameters["key"])
        if attachment is None or attachment.is_deleted:
            raise not_found()
        return Reply(
            status=200,
            headers=(("content-type", attachment.content_type),),
            body=attachment.content,
        )
