"""What happens to a whole ticket: deleting, restoring, scrubbing, merging, following up.

Each leaves an audit, so that exports and webhooks tell of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.compose import Composing
from connectors.zendesk.sandbox.errors import invalid_field, not_found
from connectors.zendesk.sandbox.records import Attachment, Comment, Json, Ticket, User, Via
from connectors.zendesk.sandbox.text import plain
from connectors.zendesk.sandbox.update import Updates

REDACTED = "▇"


class Lifecycle:
    """Acts on whole tickets and on comments already there."""

    def __init__(self, account: Account, updates: Updates) -> None:
        self._account = account
        self._updates = updates
        self._composing = Composing(account)

    def delete(
        self, ticket: Ticket, actor: User | None, via: Via, *, is_spam: bool = False
    ) -> None:
        """Hide a ticket among the deleted ones; marking it as spam does, too."""
        audit = self._updates.open_audit(ticket, actor, via)
        audit.is_spam = is_spam
        self._updates.record_changes(audit, [("status", ticket.status, "deleted")])
        self._updates.stamp(ticket)
        ticket.deleted_at = self._account.second()
        ticket.deleted_by = audit.author_id
        self._updates.kept(ticket, audit)

    def restore(self, ticket: Ticket, actor: User, via: Via) -> None:
        """Bring a deleted ticket back in the status it had."""
        audit = self._updates.open_audit(ticket, actor, via)
        ticket.deleted_at = ticket.deleted_by = None
        self._updates.record_changes(audit, [("status", "deleted", ticket.status)])
        self._updates.stamp(ticket)
        self._updates.kept(ticket, audit)

    def scrub(self, ticket: Ticket) -> None:
        """Delete for good: exports show a hollow row from then on."""
        if ticket.deleted_at is None:
            raise not_found()
        ticket.is_scrubbed = True
        ticket.comments.clear()
        for audit in ticket.audits:
            for event in audit.events:
                event.comment = None
        self._updates.stamp(ticket)

    def make_private(self, ticket: Ticket, comment: Comment, actor: User, via: Via) -> None:
        """Take a comment out of the requester's sight; there is no way back."""
        if not comment.is_public:
            return
        comment.is_public = False
        audit = self._updates.open_audit(ticket, actor, via)
        data = {"comment_id": comment.id, "public": False}
        self._updates.add_event(audit, "CommentPrivacyChange", data)
        self._updates.stamp(ticket)
        self._updates.kept(ticket, audit)

    def redact(self, ticket: Ticket, comment: Comment, text: str, actor: User, via: Via) -> None:
        """Black out every occurrence of a text in a comment. Raises Refusal."""
        self._updates.check_open(ticket)
        if not text or text not in comment.html_body:
            raise invalid_field("text", "Text: is not part of the comment")
        comment.html_body = comment.html_body.replace(text, REDACTED * len(text))
        comment.body = plain(comment.html_body)
        comment.plain_body = comment.body.replace("\n", " \n")
        audit = self._updates.open_audit(ticket, actor, via)
        self._updates.add_event(audit, "CommentRedaction", {"comment_id": comment.id})
        self._updates.stamp(ticket)
        self._updates.kept(ticket, audit)

    def redact_attachment(
        self, ticket: Ticket, comment: Comment, attachment_id: int, actor: User, via: Via
    ) -> None:
        """Empty a comment's file. Raises Refusal."""
        found = next((one for one in comment.attachments if one.id == attachment_id), None)
        if found is None:
            raise not_found()
        found.file_name, found.content, found.content_type = "redacted.txt", b"", "text/plain"
        audit = self._updates.open_audit(ticket, actor, via)
        data = {"comment_id": comment.id, "attachment_id": attachment_id}
        self._updates.add_event(audit, "AttachmentRedaction", data)
        self._updates.stamp(ticket)
        self._updates.kept(ticket, audit)

    def merge(self, target: Ticket, sources: list[Ticket], given: Json, actor: User) -> None:
        """Close the sources into the target, with a comment on each. Raises Refusal."""
        for ticket in (target, *sources):
            self._updates.check_open(ticket)
        numbers = ", ".join(f"#{source.id}" for source in sources)
        self._note(
            target,
            str(given.get("target_comment") or f"Requests {numbers} were merged into this one."),
            actor,
            is_public=bool(given.get("target_comment_is_public")),
            origin=sources[0],
            attachments=[f for source in sources for c in source.comments for f in c.attachments],
        )
        for source in sources:
            text = f"This request was closed and merged into request #{target.id}."
            self._note(
                source,
                str(given.get("source_comment") or text),
                actor,
                is_public=bool(given.get("source_comment_is_public")),
                origin=target,
                is_source=True,
            )

    def follow_up(self, given: Json, source_id: int) -> tuple[Json, Via]:
        """A creation as the follow-up of a closed ticket. Raises Refusal."""
        source = self._account.ticket(source_id)
        if source is None or source.status != "closed":
            raise invalid_field("via_followup_source_id", "Follow-up source: must be closed")
        inherited = {
            "tags": source.tags,
            "subject": f"Re: {source.values['subject']}",
            "requester_id": source.values["requester_id"],
        }
        kept = {key: value for key, value in given.items() if key != "submitter_id"}
        origin = (("ticket_id", source.id), ("subject", str(source.values["subject"])))
        return inherited | kept, Via(rel="follow_up", origin=origin)

    def _note(
        self,
        ticket: Ticket,
        text: str,
        actor: User,
        *,
        is_public: bool,
        origin: Ticket,
        attachments: Iterable[Attachment] = (),
        is_source: bool = False,
    ) -> None:
        via = Via(channel="system")
        if self._account.settings.shows_merge_via:
            subject = str(origin.values["subject"])
            via = replace(via, rel="merge", origin=(("ticket_id", origin.id), ("subject", subject)))
        audit = self._updates.open_audit(ticket, actor, via)
        comment = self._composing.comment(
            {"body": text, "public": is_public},
            ticket=ticket,
            values={**ticket.values, "id": ticket.id},
            actor=actor,
        )
        kept = self._updates.add_comment(ticket, audit, comment)
        if kept is not None:
            kept.attachments += attachments
        if is_source:
            if self._account.settings.tags_merged:
                tags = sorted({*ticket.tags, "closed_by_merge"})
                self._updates.change(ticket, audit, "tags", tags)
            self._updates.change(ticket, audit, "status", "closed")
        self._updates.stamp(ticket)
        self._updates.kept(ticket, audit)
