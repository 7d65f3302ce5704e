"""The door by which tests and the demo act as a person in the desk's own pages.

POST /_sandbox/act       one update in the name of somebody, over the channel `web`; keys in `act`
GET  /_sandbox/tickets/{id}   one ticket as `/_sandbox/state` shows it
GET  /_sandbox/settings  the switches; POST changes some of them
POST /_sandbox/revoke    kills every access token
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.auth import Credentials
from connectors.zendesk.sandbox.custom_statuses import named_status
from connectors.zendesk.sandbox.errors import Refusal, invalid_attribute, not_found
from connectors.zendesk.sandbox.files import acted_upload
from connectors.zendesk.sandbox.lifecycle import Lifecycle
from connectors.zendesk.sandbox.people import requester_of
from connectors.zendesk.sandbox.quota import Quota
from connectors.zendesk.sandbox.records import Comment, Json, Ticket, User, Via
from connectors.zendesk.sandbox.request import json_object, number_in_path
from connectors.zendesk.sandbox.settings import ZendeskSettings
from connectors.zendesk.sandbox.shown import shown_ticket
from connectors.zendesk.sandbox.update import Updates

WEB = Via(channel="web")

# What is done to a ticket that is deleted already.
_OF_DELETED = frozenset({"restore", "scrub"})
# Keys of an act that go into the update as they are.
_AS_GIVEN = (
    "status", "subject", "priority", "type", "custom_fields", "tags", "assignee_id", "group_id",
    "external_id", "requester_id", "requester", "custom_status_id",
)  # fmt: skip


class Acting:
    """People at work in one account."""

    def __init__(
        self,
        account: Account,
        updates: Updates,
        lifecycle: Lifecycle,
        quota: Quota,
        credentials: Callable[[], Credentials],
    ) -> None:
        self._account = account
        self._updates = updates
        self._lifecycle = lifecycle
        self._quota = quota
        self._credentials = credentials

    def routes(self) -> list[Route]:
        """The control paths."""
        return [
            Route("POST", "/_sandbox/act", self.act),
            Route("GET", "/_sandbox/tickets/{id}", self.ticket),
            Route("GET", "/_sandbox/settings", self.settings),
            Route("POST", "/_sandbox/settings", self.change_settings),
            Route("POST", "/_sandbox/revoke", self.revoke),
        ]

    def act(self, call: Call) -> Reply:
        """One deed of one person: `{"as": id or address, "ticket_id": n, "do": "update", ...}`.

        update    comment {"html"|"text", "public", "uploads"?, "files"?: see `acted_upload`},
                  status, custom_status (label), add_tags, remove_tags, tags, subject, priority,
                  assignee (address), group (name), custom_fields, ...;
                  "quiet": true leaves updated_at alone
        create    the same, plus requester or requester_id; no ticket_id
        merge     "into": ticket id
        follow_up what create takes; "ticket_id" is the closed ticket
        delete, restore, scrub
        make_private   "comment_id"
        redact         "comment_id", "text", or "attachment_id" for a file
        """
        given = json_object(call)
        try:
            actor = self._person(given.get("as"))
            return json_reply(200, {"ticket": self._do(given, actor)})
        except Refusal as refusal:
            return refusal.reply
        except (KeyError, TypeError, ValueError) as error:
            return json_reply(400, {"error": "BadAct", "description": repr(error)})

    def ticket(self, call: Call) -> Reply:
        """One ticket of the state."""
        ticket = self._account.tickets.get(number_in_path(call))
        if ticket is None:
            return not_found().reply
        return json_reply(200, shown_ticket(ticket, self._account))

    def settings(self, _call: Call) -> Reply:
        """The switches that can be changed."""
        now = self._account.settings
        return json_reply(200, {name: getattr(now, name) for name in switches()})

    def change_settings(self, call: Call) -> Reply:
        """Change some switches."""
        given = json_object(call)
        if unknown := set(given) - set(switches()):
            return json_reply(400, {"error": f"unknown switches: {sorted(unknown)}"})
        self._account.settings = replace(self._account.settings, **given)
        return self.settings(call)

    def revoke(self, _call: Call) -> Reply:
        """Kill every access token."""
        return json_reply(200, {"revoked": self._credentials().revoke_all()})

    def _do(self, given: Json, actor: User) -> Json:
        deed = given.get("do", "update")
        if deed == "create":
            requester = requester_of(self._account, given, actor)
            done = self._updates.create(self._asked(given, actor), actor, WEB, requester=requester)
            return shown_ticket(done.ticket, self._account)
        ticket = self._ticket(given["ticket_id"], is_deleted=deed in _OF_DELETED)
        match deed:
            case "update":
                ticket = self._update(ticket, given, actor)
            case "merge":
                into = self._ticket(given["into"])
                self._lifecycle.merge(into, [ticket], given, actor)
            case "delete" | "mark_as_spam":
                self._lifecycle.delete(ticket, actor, WEB, is_spam=deed == "mark_as_spam")
            case "restore":
                self._lifecycle.restore(ticket, actor, WEB)
            case "scrub":
                self._lifecycle.scrub(ticket)
            case "make_private":
                comment = self._comment(ticket, given)
                self._lifecycle.make_private(ticket, comment, actor, WEB)
            case "follow_up":
                ticket = self._follow_up(ticket, self._asked(given, actor), actor)
            case "redact":
                self._redact(ticket, given, actor)
            case _:
                raise ValueError(deed)
        return shown_ticket(ticket, self._account)

    def _update(self, ticket: Ticket, given: Json, actor: User) -> Ticket:
        asked = self._asked(given, actor)
        if ticket.status == "closed" and not actor.is_agent:
            # A customer who answers a closed ticket opens a follow-up.
            return self._follow_up(ticket, asked | {"requester_id": actor.id}, actor)
        if self._account.settings.ui_updates_count:
            self._quota.take_ui_update(self._account.settings)
        is_quiet = bool(given.get("quiet", False))
        self._updates.carry_out(ticket, asked, actor, WEB, moves_stamp=not is_quiet)
        return ticket

    def _redact(self, ticket: Ticket, given: Json, actor: User) -> None:
        comment = self._comment(ticket, given)
        if "attachment_id" in given:
            file_id = int(given["attachment_id"])
            self._lifecycle.redact_attachment(ticket, comment, file_id, actor, WEB)
        else:
            self._lifecycle.redact(ticket, comment, given["text"], actor, WEB)

    def _follow_up(self, closed: Ticket, asked: Json, actor: User) -> Ticket:
        asked, via = self._lifecycle.follow_up(asked, closed.id)
        requester = requester_of(self._account, asked, actor)
        done = self._updates.create(asked, actor, replace(via, channel="web"), requester=requester)
        closed.followup_ids.append(done.ticket.id)
        return done.ticket

    def _asked(self, given: Json, actor: User) -> Json:
        asked = {key: given[key] for key in _AS_GIVEN if key in given}
        for key, name in (("add_tags", "additional_tags"), ("remove_tags", "remove_tags")):
            if key in given:
                asked[name] = given[key]
        if "custom_status" in given:
            settings = self._account.settings
            asked["custom_status_id"] = named_status(settings, given["custom_status"])
        if "assignee" in given:
            asked["assignee_id"] = self._person(given["assignee"]).id
        if "group" in given:
            group = self._account.group_named(given["group"])
            asked["group_id"] = group.id if group else -1
        if (comment := given.get("comment")) is not None:
            html, text = comment.get("html"), comment.get("text")
            asked["comment"] = {
                # A customer has no way to write privately.
                "public": comment.get("public", True) if actor.is_agent else True,
                "uploads": [
                    *comment.get("uploads", []),
                    *(acted_upload(self._account, file) for file in comment.get("files", ())),
                ],
                **({"html_body": html} if html is not None else {"body": text or ""}),
            }
        return asked

    def _person(self, who: object) -> User:
        user = (
            self._account.users.get(who)
            if isinstance(who, int)
            else self._account.user_by_email(str(who))
        )
        if user is None:
            raise invalid_attribute("as", "Nobody of that id or address")
        return user

    def _ticket(self, ticket_id: object, *, is_deleted: bool = False) -> Ticket:
        number = int(str(ticket_id))
        found = self._account.tickets.get(number) if is_deleted else self._account.ticket(number)
        if found is None:
            raise not_found()
        return found

    def _comment(self, ticket: Ticket, given: Json) -> Comment:
        comment = self._account.comment(ticket, int(given["comment_id"]))
        if comment is None:
            raise not_found()
        return comment


# They count when the account is made, and never again.
_FIXED = {
    "subdomain",
    "account_id",
    "integration_email",
    "integration_role",
    "oauth_refresh_token",
    "seed",
}


def switches() -> list[str]:
    """Names of the settings that hold a plain value and can change while the desk runs."""
    plain = ("bool", "int", "float", "str", "Literal")
    named = [one.name for one in fields(ZendeskSettings) if str(one.type).startswith(plain)]
    return [name for name in named if name not in _FIXED]
