"""The platform's files: kept by id, given ahead of the comment that takes them.

An id belongs to the token that used it first; the same bytes again are the same file. What no
comment takes is forgotten after a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.platform.sandbox.model import Attachment, Put, Token
from connectors.platform.sandbox.refusal import Refusal, invalid

LARGEST_BYTES = 50_000_000
MOST_IN_COMMENT = 20
UNTAKEN_FOR = timedelta(days=1)


@dataclass(kw_only=True, slots=True)
class StoredFiles:
    """Every file that the platform holds."""

    # Endings of names that are refused.
    refused_types: tuple[str, ...] = ()
    # Where contents really are: whoever asks is sent on to below this address.
    host: str = ""
    _by_id: dict[str, Attachment] = field(default_factory=dict)
    _puts: dict[str, Put] = field(default_factory=dict)

    def add(
        self, file_id: str, name: str, content_type: str, content: bytes | None, *, size: int = 0
    ) -> Attachment:
        """Keep a file that somebody adds at the platform's pages."""
        attachment = Attachment(
            id=file_id,
            name=name,
            size=size if content is None else len(content),
            content_type=content_type,
            url=f"https://support.platform.example/attachments/{file_id}",
            content=content,
        )
        self._by_id[file_id] = attachment
        return attachment

    def get(self, file_id: str) -> Attachment | None:
        return self._by_id.get(file_id)

    def put(
        self,
        token: Token,
        file_id: str,
        name: str,
        content_type: str,
        content: bytes,
        *,
        at: datetime,
    ) -> tuple[Attachment, bool]:
        """Keep a file of a token's, and whether it is new. Raises Refusal."""
        self._forget_untaken(at)
        if len(content) > LARGEST_BYTES:
            raise Refusal(413, "body_too_large", "A file may have at most 50 MB.")
        if name.lower().endswith(self.refused_types):
            raise invalid("name", "Files of this type are not taken.", "type_not_allowed")
        known = self._by_id.get(file_id)
        if known is not None:
            put = self._puts.get(file_id)
            is_same = (known.name, known.content) == (name, content)
            if put is None or put.token_id != token.id or not is_same:
                raise Refusal(409, "attachment_id_reused", "This id belongs to another file.")
            return known, False
        attachment = self.add(file_id, name, content_type, content)
        self._puts[file_id] = Put(attachment=attachment, token_id=token.id, put_at=at)
        return attachment, True

    def of_comment(self, token: Token, ids: Sequence[str], at: datetime) -> tuple[Attachment, ...]:
        """The files that a comment is to take. Raises Refusal unless all wait for this token."""
        self._forget_untaken(at)
        if len(ids) > MOST_IN_COMMENT or len(set(ids)) != len(ids):
            raise invalid("comment.attachments", "At most 20 different files.")
        puts = [self._puts.get(file_id) for file_id in ids]
        if any(put is None or put.token_id != token.id or put.is_taken for put in puts):
            message = "A file that this token has not put, or that another comment has."
            raise invalid("comment.attachments", message, "attachment_unknown")
        return tuple(put.attachment for put in puts if put is not None)

    def take(self, attachments: Sequence[Attachment]) -> None:
        """The files belong to a comment from now on."""
        for attachment in attachments:
            if (put := self._puts.get(attachment.id)) is not None:
                put.is_taken = True

    def is_of(self, token: Token, file_id: str) -> bool:
        """Whether the token itself gave the file."""
        put = self._puts.get(file_id)
        return put is not None and put.token_id == token.id

    def _forget_untaken(self, now: datetime) -> None:
        old = [i for i, p in self._puts.items() if not p.is_taken and p.put_at + UNTAKEN_FOR <= now]
        for file_id in old:
            del self._puts[file_id], self._by_id[file_id]
