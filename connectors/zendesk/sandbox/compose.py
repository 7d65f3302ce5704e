"""Makes a comment of what a request gives for one: author, audience, text, files.

Nothing is changed here; the files stay under their upload tokens until the update is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_field, suspended
from connectors.zendesk.sandbox.records import Attachment, Json, Ticket, User
from connectors.zendesk.sandbox.text import cut, expand, plain, render_body, rewrite_html


@dataclass(frozen=True, kw_only=True, slots=True)
class NewComment:
    """A comment that has no id yet."""

    author: User
    is_public: bool
    html_body: str
    body: str
    plain_body: str
    attachments: tuple[Attachment, ...] = ()
    upload_tokens: tuple[str, ...] = ()


class Composing:
    """Comments of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def comment(
        self, given: object, *, ticket: Ticket | None, values: Mapping[str, Any], actor: User
    ) -> NewComment | None:
        """The comment asked for, None when there is neither text nor file. Raises Refusal.

        `ticket` is None for the first comment; `values` are the ticket's after the update, for
        placeholders.
        """
        wanted: Json = given if isinstance(given, dict) else {"body": given}
        attachments, tokens = self._files(wanted.get("uploads"))
        has_html = wanted.get("html_body") is not None
        source = wanted.get("html_body") if has_html else wanted.get("body", wanted.get("value"))
        source = "" if source is None else str(source)
        if not source.strip() and not attachments:
            return None
        if ticket is not None and len(ticket.comments) >= self._account.settings.max_comments:
            raise invalid_field("base", "Comments: a ticket can have at most 5000 comments")
        author = self._author(wanted.get("author_id"), actor)
        html_body = self._html(source, author, values, actor, is_html=has_html)
        body = plain(html_body)
        return NewComment(
            author=author,
            is_public=self._is_public(wanted.get("public"), ticket, author),
            html_body=html_body,
            body=body,
            plain_body=body.replace("\n", " \n"),
            attachments=attachments,
            upload_tokens=tokens,
        )

    def _html(
        self,
        source: str,
        author: User,
        values: Mapping[str, Any],
        actor: User,
        *,
        is_html: bool,
    ) -> str:
        text = cut(source, self._account.settings.max_body_bytes)
        if author.is_agent:
            text = expand(text, self._placeholders(values, actor))
        return rewrite_html(text) if is_html else render_body(text, is_markdown=author.is_agent)

    def _author(self, author_id: object, actor: User) -> User:
        if author_id is None:
            return actor
        author = self._account.users.get(int(str(author_id)))
        if author is None:
            raise invalid_field("comment", "Comment author: is invalid", "InvalidValue")
        if author.is_suspended:
            raise suspended("author", author.name)
        return author

    @staticmethod
    def _is_public(given: object, ticket: Ticket | None, author: User) -> bool:
        if author.role == "light_agent":
            return False
        if not author.is_agent and given is None:
            return True
        if given is None:
            # Left out, it is what the ticket began as: the trap behind leaked notes.
            return ticket.first_public if ticket is not None else True
        return str(given).lower() not in ("false", "0")

    def _files(self, given: object) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
        tokens = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        found: list[Attachment] = []
        for token in tokens:
            upload = self._account.uploads.get(str(token))
            if upload is None or upload.expires_at <= self._account.second():
                raise invalid_field("base", "Upload: is invalid or has expired", "InvalidValue")
            found += upload.attachments
        return tuple(found), tuple(map(str, tokens))

    def _placeholders(self, values: Mapping[str, Any], actor: User) -> dict[str, str]:
        account = self._account
        requester = account.users.get(values["requester_id"])
        assignee = account.users.get(values["assignee_id"] or 0)
        return {
            "ticket.id": str(values.get("id", "")),
            "ticket.title": str(values["subject"]),
            "ticket.status": str(values["status"]).capitalize(),
            "ticket.tags": " ".join(values["tags"]),
            "ticket.external_id": str(values["external_id"] or ""),
            "ticket.requester.name": requester.name if requester else "",
            "ticket.requester.email": (requester.email or "") if requester else "",
            "ticket.assignee.name": assignee.name if assignee else "",
            "current_user.name": actor.name,
            "current_user.email": actor.email or "",
            "ticket.account": account.settings.subdomain,
        }
