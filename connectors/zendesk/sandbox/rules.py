"""The account's triggers and automations, as its admin reads them.

https://developer.zendesk.com/api-reference/ticketing/business-rules/triggers/
"""

from __future__ import annotations

from typing import Final

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.business import FIRST_TRIGGER_ID
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Json
from connectors.zendesk.sandbox.settings import Trigger
from connectors.zendesk.sandbox.wire import stamp

HOUR_SECONDS: Final = 3600
# Automations are numbered on from here, so that no two rules share an id.
_FIRST_AUTOMATION_ID: Final = FIRST_TRIGGER_ID + 500


class RuleRoutes:
    """The business rule endpoints of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made_at = account.second()

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        return [
            Route("GET", "/api/v2/triggers", self.triggers),
            Route("GET", "/api/v2/automations", self.automations),
        ]

    def triggers(self, call: Call) -> Reply:
        """All triggers in their order; `active` filters."""
        settings = self._account.settings
        rows = [
            self._trigger(call.base_url, number, trigger)
            for number, trigger in enumerate(settings.triggers)
        ]
        return self._listed(call, "triggers", rows)

    def automations(self, call: Call) -> Reply:
        """All automations; the closing one is of the account, the others mail."""
        settings = self._account.settings
        rows = []
        if settings.close_solved_after_seconds is not None:
            hours = max(1, int(settings.close_solved_after_seconds // HOUR_SECONDS))
            rows.append(
                self._rule(
                    call.base_url,
                    "automations",
                    _FIRST_AUTOMATION_ID,
                    "Close solved tickets",
                    actions=[{"field": "status", "value": "closed"}],
                    conditions=[
                        {"field": "status", "operator": "is", "value": "solved"},
                        {"field": "SOLVED", "operator": "greater_than", "value": str(hours)},
                    ],
                )
            )
        rows += [
            self._rule(
                call.base_url,
                "automations",
                _FIRST_AUTOMATION_ID + number,
                title,
                actions=[_mail("requester_id", title)],
                conditions=[{"field": "PENDING", "operator": "is", "value": "48"}],
            )
            for number, title in enumerate(settings.mailing_automations, start=1)
        ]
        return self._listed(call, "automations", rows)

    def _listed(self, call: Call, kind: str, rows: list[Json]) -> Reply:
        wanted = call.value("active")
        if wanted is not None:
            rows = [row for row in rows if row["active"] is (wanted == "true")]
        page = page_of(call, rows, lambda row: int(row["id"]))
        return json_reply(200, {kind: page.rows, **page.around})

    def _trigger(self, base_url: str, number: int, trigger: Trigger) -> Json:
        actions: list[Json] = [
            {"field": f"custom_fields_{field_id}", "value": value}
            for field_id, value in trigger.set_fields
        ]
        if trigger.add_tags:
            actions.append({"field": "current_tags", "value": " ".join(trigger.add_tags)})
        if trigger.remove_tags:
            actions.append({"field": "remove_tags", "value": " ".join(trigger.remove_tags)})
        if trigger.set_status is not None:
            actions.append({"field": "status", "value": trigger.set_status})
        if trigger.is_mail:
            actions.append(_mail("requester_and_ccs", trigger.title))
        kind = "Create" if trigger.on == "create" else "Change"
        conditions = [{"field": "update_type", "operator": "is", "value": kind}]
        if trigger.is_after_public_answer:
            conditions += [
                {"field": "comment_is_public", "operator": "is", "value": "true"},
                {"field": "role", "operator": "is", "value": "agent"},
            ]
        if trigger.not_with_tags:
            tags = " ".join(trigger.not_with_tags)
            conditions.append({"field": "current_tags", "operator": "not_includes", "value": tags})
        return self._rule(
            base_url,
            "triggers",
            FIRST_TRIGGER_ID + number,
            trigger.title,
            actions=actions,
            conditions=conditions,
            is_active=trigger.is_active,
        ) | {"category_id": "33144692261001", "description": None}

    def _rule(
        self,
        base_url: str,
        kind: str,
        rule_id: int,
        title: str,
        *,
        actions: list[Json],
        conditions: list[Json],
        is_active: bool = True,
    ) -> Json:
        return {
            "url": f"{base_url}/api/v2/{kind}/{rule_id}.json",
            "id": rule_id,
            "title": title,
            "raw_title": title,
            "active": is_active,
            "default": False,
            "position": rule_id % 1000,
            "actions": actions,
            "conditions": {"all": conditions, "any": []},
            "created_at": stamp(self._made_at),
            "updated_at": stamp(self._made_at),
        }


def _mail(receiver: str, subject: str) -> Json:
    text = "Your request ({{ticket.id}}) was updated.\n\n{{ticket.comments_formatted}}"
    return {"field": "notification_user", "value": [receiver, subject, text]}
