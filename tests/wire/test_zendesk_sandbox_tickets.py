"""Tickets in the Zendesk sandbox: what a write does, answers, and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.zendesk.sandbox.settings import AREA_FIELD, CustomField, Trigger
from tests.support.zendesk_account import an_account, change, comment


async def test_a_creation_answers_with_ticket_and_audit_before_triggers_ran() -> None:
    async with an_account() as account:
        made = await account.create(tags=["Urgent Case", "a/b:c"], external_id="platform:7")
        ticket, audit = made["ticket"], made["audit"]
        assert ticket["created_at"] == ticket["updated_at"] == "2026-11-20T10:00:00Z"
        assert ticket["status"] == "new"
        assert ticket["tags"] == ["a/b:c", "case", "urgent"]
        assert ticket["generated_timestamp"] == 0
        assert comment(audit)["body"] == "It smokes."
        assert {e["field_name"]: e["value"] for e in audit["events"] if e["type"] == "Create"}[
            "requester_id"
        ] == str(account.integration_id)
        shown = (await account.get(f"/tickets/{ticket['id']}"))["ticket"]
        # The trigger wrote a tag and a field, whose option is a tag too.
        assert set(shown["tags"]) - set(ticket["tags"]) == {"auto_triage", "area_general"}
        assert {"id": AREA_FIELD, "value": "area_general"} in shown["custom_fields"]
        assert "audit" not in await account.get(f"/tickets/{ticket['id']}")


async def test_an_answer_can_be_built_after_the_triggers() -> None:
    async with an_account(answers_after_triggers=True) as account:
        made = await account.create()
        assert "auto_triage" in made["ticket"]["tags"]
        rule = change(made["audit"], "tags")
        assert rule["via"]["channel"] == "rule"
        assert rule["via"]["source"]["rel"] == "trigger"


async def test_one_update_carries_status_tags_and_a_private_comment() -> None:
    async with an_account() as account:
        ticket = (await account.create(tags=["old"]))["ticket"]
        account.clock.advance(5.9)
        answer = await account.update(
            ticket["id"],
            status="pending",
            tags=["New", "tag"],
            group_id=(await account.state())["groups"]["Heroku"],
            comment={"html_body": "<p>a note</p>", "public": False},
            metadata={"op": "7"},
        )
        body = answer.json()
        assert body["ticket"]["status"] == "pending"
        assert body["ticket"]["updated_at"] == "2026-11-20T10:00:05Z"
        audit = body["audit"]
        assert audit["author_id"] == account.integration_id
        assert comment(audit)["public"] is False
        assert comment(audit)["audit_id"] == audit["id"]
        assert change(audit, "status")["previous_value"] == "new"
        assert change(audit, "tags")["previous_value"] == ["area_general", "auto_triage", "old"]
        assert change(audit, "tags")["value"] == ["new", "tag"]
        assert isinstance(change(audit, "group_id")["value"], str)
        assert audit["metadata"]["custom"] == {"op": "7"}


@pytest.mark.parametrize("is_readable", [True, False])
async def test_metadata_is_readable_or_not(*, is_readable: bool) -> None:
    async with an_account(metadata_readable=is_readable) as account:
        made = await account.create(metadata={"op": "7"})
        ticket_id = made["ticket"]["id"]
        wanted = {"op": "7"} if is_readable else {}
        audits = (await account.get(f"/tickets/{ticket_id}/audits"))["audits"]
        comments = (await account.get(f"/tickets/{ticket_id}/comments"))["comments"]
        assert audits[0]["metadata"]["custom"] == wanted
        assert comments[0]["metadata"]["custom"] == wanted
        # What was written is there all the same, for a test to look at.
        assert (await account.shown(ticket_id))["audits"][0]["metadata"] == {"op": "7"}


async def test_an_update_that_changes_nothing_answers_with_the_previous_audit() -> None:
    async with an_account() as account:
        made = await account.create(priority="high")
        account.clock.advance(10)
        again = (await account.update(made["ticket"]["id"], priority="high")).json()
        assert again["audit"]["id"] == made["audit"]["id"]
        assert again["ticket"]["updated_at"] == made["ticket"]["updated_at"]


@pytest.mark.parametrize("switch", [True, False, "true", "false"])
async def test_any_value_of_safe_update_refuses_an_old_stamp(switch: object) -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        account.clock.advance(1)
        await account.act(**{"as": "alice@acme.test"}, ticket_id=ticket["id"], status="pending")
        guarded = {"safe_update": switch, "updated_stamp": ticket["updated_at"]}
        refused = await account.update(ticket["id"], comment={"body": "late"}, **guarded)
        assert refused.status_code == 409
        assert refused.json()["error"] == "UpdateConflict"
        assert len((await account.shown(ticket["id"]))["comments"]) == 1
        fresh = (await account.get(f"/tickets/{ticket['id']}"))["ticket"]["updated_at"]
        guarded["updated_stamp"] = fresh
        assert (await account.update(ticket["id"], tags=["x"], **guarded)).status_code == 200


async def test_two_updates_in_one_second_cannot_be_told_apart_by_the_stamp() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        account.clock.advance(0.4)
        await account.act(**{"as": "alice@acme.test"}, ticket_id=ticket["id"], add_tags=["mine"])
        account.clock.advance(0.4)
        answer = await account.update(
            ticket["id"], tags=["x"], safe_update=True, updated_stamp=ticket["updated_at"]
        )
        assert answer.status_code == 200
        assert "mine" in change(answer.json()["audit"], "tags")["previous_value"]


async def test_a_quiet_change_of_the_system_does_not_move_the_stamp() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        account.clock.advance(30)
        after = await account.act(
            **{"as": "alice@acme.test"}, ticket_id=ticket["id"], add_tags=["sly"], quiet=True
        )
        assert "sly" in after["tags"]
        assert after["updated_at"] == ticket["updated_at"]
        assert after["generated_timestamp"] == int(account.clock())


async def test_a_closed_ticket_refuses_every_update_in_the_documented_words() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        assert (await account.update(ticket["id"], status="closed")).status_code == 200
        refused = await account.update(ticket["id"], comment={"body": "more"})
        assert refused.status_code == 422
        assert refused.json() == {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {"status": [{"description": "Status: closed prevents ticket update"}]},
        }


async def test_a_follow_up_needs_a_closed_ticket_and_inherits_its_tags() -> None:
    async with an_account() as account:
        source = (await account.create(tags=["kept"]))["ticket"]
        body = {
            "subject": "again",
            "comment": {"body": "b"},
            "via_followup_source_id": source["id"],
        }
        refused = await account.call("POST", "/tickets", json={"ticket": body})
        assert refused.status_code == 422
        await account.update(source["id"], status="closed")
        made = (await account.call("POST", "/tickets", json={"ticket": body})).json()["ticket"]
        assert "kept" in made["tags"]
        assert made["via"]["source"]["rel"] == "follow_up"
        shown = (await account.get(f"/tickets/{source['id']}"))["ticket"]
        assert shown["followup_ids"] == [made["id"]]


async def test_solving_an_unassigned_ticket_assigns_the_solver() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        solved = (await account.update(ticket["id"], status="solved")).json()["ticket"]
        assert solved["assignee_id"] == account.integration_id


async def test_solving_without_assignee_or_required_field_refuses_the_whole_write() -> None:
    field = CustomField(field_id=77, title="Cause", is_required_to_solve=True)
    settings: dict[str, Any] = {"assigns_on_solve": False, "custom_fields": (field,)}
    async with an_account(**settings, triggers=()) as account:
        ticket = (await account.create())["ticket"]
        refused = await account.update(
            ticket["id"], status="solved", comment={"body": "done"}, tags=["t"]
        )
        assert refused.status_code == 422
        details = refused.json()["details"]["base"]
        assert [d["ticket_field_id"] for d in details][-1] == 77
        assert len(details) == 2
        shown = await account.shown(ticket["id"])
        assert (shown["status"], shown["tags"], len(shown["comments"])) == ("new", [], 1)
        both = {"assignee_id": account.integration_id, "custom_fields": [{"id": 77, "value": "x"}]}
        assert (await account.update(ticket["id"], status="solved", **both)).status_code == 200


async def test_assigning_an_agent_opens_a_new_ticket_and_sets_the_group() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        alice = account.person("alice@acme.test")
        after = (await account.update(ticket["id"], assignee_id=alice)).json()["ticket"]
        assert after["status"] == "open"
        assert after["group_id"] == (await account.state())["groups"]["Heroku"]
        assert (await account.update(ticket["id"], status="new")).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"status": "With customer"}, "status"),
        ({"priority": "hot"}, "priority"),
        ({"assignee_id": 1}, "assignee"),
        ({"group_id": 1}, "group"),
        ({"requester_id": 1}, "requester"),
        ({"status": "open", "custom_status_id": 33144692250003}, "custom_status_id"),
    ],
)
async def test_a_wrong_value_refuses_the_whole_write(wrong: dict[str, Any], key: str) -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        refused = await account.update(ticket["id"], comment={"body": "lost?"}, **wrong)
        assert refused.status_code == 422
        assert key in refused.json()["details"]
        assert len((await account.shown(ticket["id"]))["comments"]) == 1


async def test_a_priority_cannot_be_cleared() -> None:
    async with an_account() as account:
        ticket = (await account.create(priority="high"))["ticket"]
        refused = await account.update(ticket["id"], priority=None)
        assert refused.json()["details"]["priority"][0]["description"].endswith("cannot be reset")


async def test_tags_of_the_requester_and_the_organisation_come_along() -> None:
    async with an_account() as account:
        carl = account.person("carl@globex.test")
        ticket = (await account.create(requester_id=carl))["ticket"]
        assert {"vip", "beta_tester"} <= set(ticket["tags"])


async def test_option_tags_follow_their_field_both_ways() -> None:
    async with an_account(triggers=()) as account:
        ticket = (await account.create(tags=["x"]))["ticket"]
        chosen = {"id": AREA_FIELD, "value": "area_billing"}
        after = (await account.update(ticket["id"], custom_fields=[chosen])).json()["ticket"]
        assert after["tags"] == ["area_billing", "x"]
        after = (await account.update(ticket["id"], tags=["x"])).json()["ticket"]
        assert {"id": AREA_FIELD, "value": None} in after["custom_fields"]
        after = (await account.update(ticket["id"], tags=["x", "area_database"])).json()["ticket"]
        assert {"id": AREA_FIELD, "value": "area_database"} in after["custom_fields"]


async def test_tag_endpoints_add_set_and_remove_and_honour_the_stamp() -> None:
    async with an_account(triggers=()) as account:
        ticket = (await account.create(tags=["a"]))["ticket"]
        path = f"/tickets/{ticket['id']}/tags"
        assert (await account.call("PUT", path, json={"tags": ["B c"]})).json() == {
            "tags": ["a", "b", "c"]
        }
        removed = await account.call("DELETE", path, json={"tags": ["a"]})
        assert removed.json() == {"tags": ["b", "c"]}
        reset = await account.call("POST", path, json={"tags": ["z"]})
        assert (reset.status_code, reset.json()) == (201, {"tags": ["z"]})
        old = {"tags": ["q"], "safe_update": "true", "updated_stamp": "2020-01-01T00:00:00Z"}
        assert (await account.call("PUT", path, json=old)).status_code == 409
        assert await account.get(path) == {"tags": ["z"]}


async def test_an_idempotency_key_makes_a_repeated_creation_harmless_for_two_hours() -> None:
    async with an_account() as account:
        body = {"ticket": {"subject": "s", "comment": {"body": "b"}}}
        headers = {"Idempotency-Key": "key-1"}
        first = await account.call("POST", "/tickets", json=body, headers=headers)
        second = await account.call("POST", "/tickets", json=body, headers=headers)
        assert (first.headers["x-idempotency-lookup"], second.headers["x-idempotency-lookup"]) == (
            "miss",
            "hit",
        )
        assert first.json() == second.json()
        other = {"ticket": {"subject": "other", "comment": {"body": "b"}}}
        refused = await account.call("POST", "/tickets", json=other, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "IdempotentRequestError")
        account.clock.advance(2 * 3600 + 1)
        third = await account.call("POST", "/tickets", json=body, headers=headers)
        assert third.json()["ticket"]["id"] != first.json()["ticket"]["id"]


async def test_the_listing_finds_an_external_id_after_its_lag() -> None:
    async with an_account(listing_lag_seconds=30) as account:
        made = [(await account.create(external_id="platform:7"))["ticket"]["id"] for _ in range(2)]
        assert (await account.get("/tickets", {"external_id": "platform:7"}))["tickets"] == []
        account.clock.advance(31)
        found = await account.get("/tickets", {"external_id": "platform:7"})
        assert [ticket["id"] for ticket in found["tickets"]] == made
        assert found["count"] == 2


async def test_the_listing_pages_by_cursor_without_fields_and_by_offset_with_them() -> None:
    async with an_account() as account:
        made = [(await account.create())["ticket"]["id"] for _ in range(3)]
        first = await account.get("/tickets", {"page[size]": 2, "sort": "-id"})
        assert [t["id"] for t in first["tickets"]] == made[:0:-1]
        assert "fields" not in first["tickets"][0]
        assert first["meta"]["has_more"] is True
        rest = (await account.client.get(first["links"]["next"])).json()
        assert [t["id"] for t in rest["tickets"]] == made[:1]
        assert rest["meta"]["has_more"] is False
        assert rest["links"]["next"] is not None
        offset = await account.get("/tickets", {"per_page": 2, "page": 2})
        assert [t["id"] for t in offset["tickets"]] == made[2:]
        assert (offset["next_page"], offset["count"]) == (None, 3)
        assert "fields" in offset["tickets"][0]
        assert (await account.get("/tickets", {"page": 102}, status=400))["error"] == (
            "InvalidPaginationDepth"
        )


async def test_show_many_leaves_out_what_is_not_there_and_orders_by_id() -> None:
    async with an_account() as account:
        a, b = [(await account.create())["ticket"]["id"] for _ in range(2)]
        found = await account.get("/tickets/show_many", {"ids": f"{b},99,{a}"})
        assert [ticket["id"] for ticket in found["tickets"]] == [a, b]
        many = ",".join(str(n) for n in range(101))
        refused = await account.get("/tickets/show_many", {"ids": many}, status=400)
        assert (refused["error"], refused["max_count"]) == ("TooManyValues", 100)


async def test_a_deleted_ticket_is_gone_from_reads_and_can_be_restored() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        path = f"/tickets/{ticket['id']}"
        assert (await account.call("DELETE", path)).status_code == 204
        assert (await account.get(path, status=404))["error"] == "RecordNotFound"
        assert (await account.get("/tickets"))["tickets"] == []
        gone = (await account.get("/deleted_tickets"))["deleted_tickets"]
        assert [(row["id"], row["previous_state"]) for row in gone] == [(ticket["id"], "new")]
        restored = await account.call("PUT", f"/deleted_tickets/{ticket['id']}/restore")
        assert restored.status_code == 200
        assert (await account.get(path))["ticket"]["status"] == "new"


async def test_solved_tickets_close_by_the_automation_after_a_scaled_while() -> None:
    async with an_account(close_solved_after_seconds=96 * 3600, scale=3600) as account:
        ticket = (await account.create())["ticket"]
        await account.update(ticket["id"], status="solved")
        account.clock.advance(95)
        assert (await account.get(f"/tickets/{ticket['id']}"))["ticket"]["status"] == "solved"
        account.clock.advance(2)
        assert (await account.get(f"/tickets/{ticket['id']}"))["ticket"]["status"] == "closed"
        audits = (await account.get(f"/tickets/{ticket['id']}/audits"))["audits"]
        assert (audits[-1]["author_id"], audits[-1]["via"]["channel"]) == (-1, "rule")


async def test_unknown_keys_are_dropped_with_a_warning_in_a_header() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        answer = await account.update(ticket["id"], tags=["x"], colour="red")
        assert answer.status_code == 200
        assert "colour" in answer.headers["x-zendesk-api-warn"]


async def test_a_description_is_ignored_on_update() -> None:
    async with an_account() as account:
        made = await account.create()
        again = (await account.update(made["ticket"]["id"], description="other")).json()
        assert again["ticket"]["description"] == "It smokes."
        assert again["audit"]["id"] == made["audit"]["id"]


async def test_garbage_is_refused_and_never_breaks_the_desk() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        path = f"/tickets/{ticket['id']}"
        assert (await account.call("PUT", path, content=b'{"ticket": ')).status_code == 422
        assert (await account.call("PUT", path, json={"wrong": 1})).status_code == 400
        assert (await account.update(ticket["id"], assignee_id="nobody")).status_code == 400
        assert (await account.get("/tickets/abc", status=400))["error"]["title"]
        assert (await account.get("/no/such/thing", status=404))["error"] == "InvalidEndpoint"


async def test_a_trigger_does_not_fire_on_what_it_does_not_watch() -> None:
    trigger = Trigger(title="t", on="update", is_after_public_answer=True, add_tags=("seen",))
    async with an_account(triggers=(trigger,)) as account:
        ticket = (await account.create())["ticket"]
        await account.update(ticket["id"], comment={"body": "note", "public": False})
        assert "seen" not in (await account.shown(ticket["id"]))["tags"]
        await account.update(ticket["id"], comment={"body": "answer", "public": True})
        assert "seen" in (await account.shown(ticket["id"]))["tags"]
