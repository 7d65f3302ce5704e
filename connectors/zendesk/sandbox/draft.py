"""Turns what a request asks for into the ticket it would become, or refuses it whole.

Nothing is changed here. The rules that look at a ticket alone live here too: what a status may
become, who may be assigned, what solving needs, which tags fields bring along.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.compose import Composing, NewComment
from connectors.zendesk.sandbox.custom_statuses import check_custom, default_status
from connectors.zendesk.sandbox.errors import invalid, invalid_field, suspended
from connectors.zendesk.sandbox.fields import ASSIGNEE_FIELD
from connectors.zendesk.sandbox.records import Json, Ticket, User
from connectors.zendesk.sandbox.text import as_tag_list

STATUSES: Final = ("new", "open", "pending", "hold", "solved", "closed")
FORM_ID: Final = 33144692251001

_PLAIN = ("subject", "external_id", "due_at", "problem_id", "recipient", "ticket_form_id")
_LISTS = ("collaborator_ids", "follower_ids", "email_cc_ids", "sharing_agreement_ids")
_CHOICES = {
    "priority": ("low", "normal", "high", "urgent"),
    "type": ("problem", "incident", "question", "task"),
}
_KNOWN = {
    *_PLAIN, *_LISTS, *_CHOICES,
    "status", "custom_status_id", "requester_id", "requester", "assignee_id", "assignee_email",
    "group_id", "organization_id", "brand_id", "tags", "custom_fields", "fields", "comment",
    "description", "safe_update", "updated_stamp", "metadata", "via_followup_source_id",
    "submitter_id", "raw_subject", "id", "created_at", "updated_at", "solved_at", "comments",
    "collaborators", "additional_collaborators", "followers", "email_ccs", "macro_ids", "via",
    "additional_tags", "remove_tags",
}  # fmt: skip

METADATA_LIMIT_BYTES = 1024


@dataclass(kw_only=True, slots=True)
class Draft:
    """A ticket as it would be after the request."""

    values: dict[str, Any]
    custom: dict[int, str | None]
    comment: NewComment | None = None
    metadata: Json = field(default_factory=dict)


def unpermitted(given: Json) -> list[str]:
    """Keys the desk drops, telling so in a header only."""
    return sorted(set(given) - _KNOWN)


class Drafting:
    """Drafts for one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._composing = Composing(account)

    def of_new(self, given: Json, requester: User) -> Draft:
        """The ticket a creation asks for. Raises Refusal."""
        brand_id = next(iter(self._account.brands))
        values: dict[str, Any] = {
            "subject": "", "type": None, "priority": None, "status": "new",
            "custom_status_id": default_status("new"), "requester_id": requester.id,
            "organization_id": requester.organization_id, "assignee_id": None, "group_id": None,
            "brand_id": brand_id, "external_id": None, "due_at": None, "problem_id": None,
            "recipient": None, "ticket_form_id": FORM_ID, "tags": [], "collaborator_ids": [],
            "follower_ids": [], "email_cc_ids": [], "sharing_agreement_ids": [],
        }  # fmt: skip
        fields: dict[int, str | None] = {
            f.field_id: None for f in self._account.settings.custom_fields
        }
        draft = Draft(values=values, custom=fields)
        self._fill(draft, given, is_new=True)
        self._check_requester(draft)
        self._inherit_tags(draft, requester)
        return draft

    def of_update(self, ticket: Ticket, given: Json, actor: User) -> Draft:
        """The ticket an update asks for, comment included. Raises Refusal."""
        draft = Draft(values=dict(ticket.values), custom=dict(ticket.custom))
        self._fill(draft, given, is_new=False)
        self._check_requester(draft)
        if draft.values["requester_id"] != ticket.values["requester_id"]:
            self._inherit_tags(draft, self._account.users[draft.values["requester_id"]])
        draft.comment = self._composing.comment(
            given.get("comment"),
            ticket=ticket,
            values={**draft.values, "id": ticket.id},
            actor=actor,
        )
        self._reopen(ticket, draft, given, actor)
        self.check_solved(ticket.status, draft, actor)
        return draft

    def first_comment(self, given: Json, draft: Draft, *, ticket_id: int, author: User) -> None:
        """Add a creation's first comment to its draft. Raises Refusal when there is no text."""
        comment = given.get("comment")
        if comment is None and given.get("description"):
            comment = {"body": given["description"]}
        values = {**draft.values, "id": ticket_id}
        draft.comment = self._composing.comment(comment, ticket=None, values=values, actor=author)
        if draft.comment is None:
            entry = {
                "description": "Description: cannot be blank",
                "error": "BlankValue",
                "field_key": "description",
            }
            raise invalid({"base": [entry]})

    def check_solved(self, before: str, draft: Draft, actor: User) -> None:
        """What solving needs: an assignee and every required field. Raises Refusal."""
        values, settings = draft.values, self._account.settings
        if values["status"] not in ("solved", "closed") or before in ("solved", "closed"):
            return
        problems: list[Json] = []
        if values["assignee_id"] is None and settings.solve_needs_assignee:
            if settings.assigns_on_solve and actor.is_agent:
                values["assignee_id"] = actor.id
                values["group_id"] = values["group_id"] or self._account.group_of(actor)
            else:
                problems.append(
                    {
                        "description": "Assignee: is required when solving a ticket",
                        "ticket_field_id": ASSIGNEE_FIELD,
                        "ticket_field_type": "FieldAssignee",
                    }
                )
        problems += [
            {
                "description": f"{required.title}: is required when solving a ticket",
                "ticket_field_id": required.field_id,
                "ticket_field_type": f"Field{required.kind.capitalize()}",
            }
            for required in settings.custom_fields
            if required.is_required_to_solve and not draft.custom.get(required.field_id)
        ]
        if problems:
            raise invalid({"base": problems})

    def _fill(self, draft: Draft, given: Json, *, is_new: bool) -> None:
        values = draft.values
        values.update({name: given[name] for name in _PLAIN if name in given})
        if values["external_id"] is not None:
            values["external_id"] = str(values["external_id"])
        values["subject"] = str(values["subject"] or "")
        values.update({name: sorted(map(int, given[name])) for name in _LISTS if given.get(name)})
        for name, choices in _CHOICES.items():
            if name in given:
                values[name] = _choice(name, given[name], values[name], choices)
        self._fill_people(values, given)
        self._fill_status(values, given, is_new=is_new)
        self._fill_tags(draft, given)
        metadata = given.get("metadata") or {}
        if not isinstance(metadata, dict) or _size(metadata) > METADATA_LIMIT_BYTES:
            raise invalid_field("metadata", "Metadata: is too large", "InvalidValue")
        draft.metadata = metadata

    def _check_requester(self, draft: Draft) -> None:
        requester = self._account.users[draft.values["requester_id"]]
        if requester.is_suspended:
            raise suspended("requester", requester.name)

    def _fill_people(self, values: dict[str, Any], given: Json) -> None:
        account = self._account
        if given.get("requester_id") is not None:
            requester = account.users.get(int(given["requester_id"]))
            if requester is None:
                raise invalid_field("requester", "Requester: is invalid", "InvalidValue")
            if requester.id != values["requester_id"]:
                values["organization_id"] = requester.organization_id
            values["requester_id"] = requester.id
        for name, known in (
            ("group_id", account.groups),
            ("brand_id", account.brands),
            ("organization_id", account.organizations),
        ):
            if name in given:
                values[name] = _known(name, given[name], known)
        self._fill_assignee(values, given)

    def _fill_assignee(self, values: dict[str, Any], given: Json) -> None:
        account = self._account
        if given.get("assignee_email"):
            found = account.user_by_email(given["assignee_email"])
            given = {**given, "assignee_id": found.id if found else -1}
        if "assignee_id" in given:
            assignee = account.users.get(int(given["assignee_id"] or 0))
            if given["assignee_id"] and (assignee is None or not _may_work(assignee)):
                raise invalid_field("assignee", "Assignee: is invalid", "InvalidValue")
            values["assignee_id"] = assignee.id if assignee else None
            if assignee and values["group_id"] not in assignee.group_ids:
                values["group_id"] = account.group_of(assignee)
        elif given.get("group_id") is not None and values["assignee_id"] is not None:
            member_of = account.users[values["assignee_id"]].group_ids
            if values["group_id"] not in member_of:
                values["assignee_id"] = None

    def _fill_status(self, values: dict[str, Any], given: Json, *, is_new: bool) -> None:
        status = given.get("status")
        if status is not None and status not in STATUSES:
            raise invalid_field("status", f"Status: {status} is not included in the list")
        status = check_custom(self._account.settings, values, given)
        if status == "new" and not is_new and values["status"] != "new":
            raise invalid_field("status", "Status: cannot be changed to new")
        if status is not None:
            values["status"] = status
            # A category alone means its default.
            chosen = given.get("custom_status_id") or default_status(status)
            values["custom_status_id"] = int(chosen)
        # Assigning an agent opens a new ticket.
        if values["status"] == "new" and values["assignee_id"] is not None:
            values["status"] = "open"
            values["custom_status_id"] = default_status("open")

    def _fill_tags(self, draft: Draft, given: Json) -> None:
        before = set(draft.values["tags"])
        tags = set(as_tag_list(given["tags"])) if "tags" in given else set(before)
        tags |= set(as_tag_list(given.get("additional_tags")))
        tags -= set(as_tag_list(given.get("remove_tags")))
        chosen = {
            int(one["id"]): one.get("value")
            for one in given.get("custom_fields") or given.get("fields") or []
        }
        for custom in self._account.settings.custom_fields:
            options = set(custom.options)
            old = draft.custom.get(custom.field_id)
            new = old
            if custom.field_id in chosen:
                new = chosen[custom.field_id] or None
                if new is not None and options and new not in options:
                    raise invalid_field("base", f"{custom.title}: {new} is not a valid option")
            elif custom.kind == "tagger":
                # A tag that is an option sets its field, and a field whose tag went is cleared.
                added = sorted(options & tags - before)
                new = added[0] if added else (old if old in tags else None)
            if custom.kind == "tagger":
                tags = (tags - options) | ({new} if new else set())
            draft.custom[custom.field_id] = new
        draft.values["tags"] = sorted(tags)

    def _inherit_tags(self, draft: Draft, requester: User) -> None:
        organization = self._account.organizations.get(draft.values["organization_id"] or 0)
        inherited = {*requester.tags, *(organization.tags if organization else ())}
        draft.values["tags"] = sorted({*draft.values["tags"], *inherited})

    def _reopen(self, ticket: Ticket, draft: Draft, given: Json, actor: User) -> None:
        comment = draft.comment
        if comment is None or comment.author.is_agent or not comment.is_public:
            return
        if actor.is_agent and not self._account.settings.end_user_author_reopens:
            return
        is_own = given.get("status") is None and given.get("custom_status_id") is None
        if is_own and ticket.status in ("pending", "hold", "solved"):
            draft.values["status"] = "open"
            draft.values["custom_status_id"] = default_status("open")


def _size(value: Json) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _may_work(user: User) -> bool:
    return user.role in ("admin", "agent")


def _choice(name: str, wanted: object, now: object, choices: tuple[str, ...]) -> object:
    if not wanted:
        if name == "priority" and now is not None:
            raise invalid_field("priority", "Priority: cannot be reset")
        return None
    if wanted not in choices:
        label = name.capitalize()
        raise invalid_field(name, f"{label}: {wanted} is not included in the list")
    return wanted


def _known(name: str, wanted: object, known: dict[int, Any]) -> int | None:
    if wanted is None:
        return None
    try:
        found = int(str(wanted))
    except ValueError:
        found = -1
    if found not in known:
        label = name.removesuffix("_id").capitalize()
        raise invalid_field(name.removesuffix("_id"), f"{label}: is invalid", "InvalidValue")
    return found
