"""Uploads and attachments: kept under tokens, scanned after a while, perhaps at another host.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_attribute, invalid_field, not_found
from connectors.zendesk.sandbox.records import Attachment, Upload
from connectors.zendesk.sandbox.request import number_in_path
from connectors.zendesk.sandbox.wire import attachment_json, stamp

UPLOAD_SECONDS = 3600
LARGEST_BYTES = 50 * 1024 * 1024
CONTENT_PATH = "/attachments/token/{key}/"
# The harmless file by which scanners are tried.
EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


def keep_file(account: Account, name: str, content_type: str, content: bytes) -> Attachment:
    """Store a file that no comment has yet. Raises Refusal."""
    settings = account.settings
    if len(content) > LARGEST_BYTES:
        raise invalid_field("attachment", "Attachment: is too large", "AttachmentTooLarge")
    endings = tuple(one.strip() for one in settings.refused_file_types.split(",") if one.strip())
    if name.lower().endswith(endings):
        raise invalid_field("attachment", "Attachment: file type is not permitted", "InvalidValue")
    attachment_id = account.new_id()
    seconds = settings.scan_seconds
    attachment = Attachment(
        id=attachment_id,
        file_name=name,
        content_type=content_type,
        content=content,
        key=hashlib.sha256(str(attachment_id).encode()).hexdigest()[:25],
        scanned_at=None if seconds < 0 else account.time.now() + account.time.shrunk(seconds),
    )
    account.attachments[attachment_id] = attachment
    scan_files(account)
    return attachment


def keep_upload(account: Account, attachment: Attachment, token: str | None = None) -> Upload:
    """Put a stored file under a token, the given one or its own."""
    token = token or f"upload{attachment.key}"
    expires_at = account.second() + UPLOAD_SECONDS
    upload = account.uploads.setdefault(token, Upload(token=token, expires_at=expires_at))
    upload.attachments.append(attachment)
    return upload


def acted_upload(account: Account, given: dict[str, Any]) -> str:
    """A file that a person adds: {"name", "text" or "base64", "type"?, "inline"?}; its token."""
    content = (
        base64.b64decode(given["base64"]) if "base64" in given else str(given["text"]).encode()
    )
    kind = str(given.get("type", "application/octet-stream"))
    attachment = keep_file(account, str(given["name"]), kind, content)
    attachment.is_inline = bool(given.get("inline", False))
    return keep_upload(account, attachment).token


def scan_files(account: Account) -> None:
    """Let the scanner speak of the files whose time has come."""
    now = account.time.now()
    for one in account.attachments.values():
        if one.scan_result != "not_scanned" or one.scanned_at is None or one.scanned_at > now:
            continue
        found = "malware_found" if EICAR in one.content else "malware_not_found"
        one.scan_result = "failed_to_scan" if account.settings.scan_fails else found


class FileRoutes:
    """Upload and attachment endpoints of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

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
        kind = call.headers.get("content-type", "application/octet-stream")
        attachment = keep_file(self._account, name, kind, call.body)
        upload = keep_upload(self._account, attachment, call.value("token"))
        rows = [attachment_json(one, call.base_url) for one in upload.attachments]
        reply = json_reply(
            201,
            {
                "upload": {
                    "token": upload.token,
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
        """The file itself, or the way to it."""
        key = call.parameters["key"]
        stored = self._account.attachments.values()
        attachment = next((one for one in stored if one.key == key), None)
        if attachment is None or attachment.is_deleted:
            raise not_found()
        if host := self._account.settings.file_host:
            return Reply(status=302, headers=(("location", f"{host}/{key}?signature=s3cret"),))
        return Reply(
            status=200,
            headers=(("content-type", attachment.content_type),),
            body=attachment.content,
        )
