"""Jobs, imports, merges and people of the Zendesk sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.zendesk_account import Account, an_account


async def job(account: Account, method: str, path: str, **kwargs: Any) -> Any:
    """Start a job and return its status once it is polled."""
    answer = await account.call(method, path, **kwargs)
    assert answer.status_code == 200, answer.text
    started = answer.json()["job_status"]
    assert (started["status"], started["results"]) == ("queued", None)
    return (await account.get(f"/job_statuses/{started['id']}"))["job_status"]


async def test_a_completed_job_can_hold_failed_rows() -> None:
    async with an_account() as account:
        a, b = [(await account.create())["ticket"]["id"] for _ in range(2)]
        await account.update(b, status="closed")
        rows = [{"id": a, "status": "pending"}, {"id": b, "status": "open"}, {"id": 99}]
        done = await job(account, "PUT", "/tickets/update_many", json={"tickets": rows})
        assert (done["status"], done["total"]) == ("completed", 3)
        assert done["results"][0] == {
            "id": a,
            "action": "update",
            "status": "Updated",
            "success": True,
        }
        failed = [row for row in done["results"] if not row["success"]]
        assert [row["id"] for row in failed] == [b, 99]
        assert "closed prevents ticket update" in failed[0]["details"]
        assert (await account.shown(a))["status"] == "pending"


async def test_the_bulk_form_adds_and_removes_tags() -> None:
    async with an_account(triggers=()) as account:
        ids = [(await account.create(tags=["a", "b"]))["ticket"]["id"] for _ in range(2)]
        change = {"additional_tags": ["c"], "remove_tags": ["a"]}
        await job(
            account,
            "PUT",
            "/tickets/update_many",
            params={"ids": ",".join(map(str, ids))},
            json={"ticket": change},
        )
        assert [(await account.shown(one))["tags"] for one in ids] == [["b", "c"]] * 2


async def test_more_than_a_hundred_rows_are_refused() -> None:
    async with an_account() as account:
        rows = [{"id": n} for n in range(101)]
        refused = await account.call("PUT", "/tickets/update_many", json={"tickets": rows})
        assert (refused.status_code, refused.json()["error"]) == (400, "TooManyValues")


async def test_a_slow_job_takes_effect_later_and_thirty_fill_the_queue() -> None:
    async with an_account(job_seconds=0.05) as account:
        body = {"tickets": [{"subject": "s", "comment": {"body": "b"}}]}
        answers = [await account.call("POST", "/tickets/create_many", json=body) for _ in range(31)]
        assert [a.status_code for a in answers] == [200] * 30 + [429]
        assert answers[-1].json()["error"] == "TooManyJobs"
        assert len(answers[-1].json()["current_job_ids"]) == 30
        assert (await account.state())["tickets"] == []
        account.clock.advance(1)
        assert len((await account.state())["tickets"]) == 30
        await asyncio.sleep(0)


async def test_an_import_keeps_times_and_is_silent() -> None:
    async with an_account() as account:
        carl = account.person("carl@globex.test")
        rows = [
            {"author_id": carl, "created_at": "2026-01-02T03:04:05Z", "html_body": "<p>hi</p>"},
            {"value": "note", "public": False, "created_at": "2026-01-02T04:00:00Z"},
        ]
        given = {
            "ticket": {
                "subject": "old",
                "requester_id": carl,
                "status": "closed",
                "tags": ["x"],
                "created_at": "2026-01-02T03:04:05Z",
                "updated_at": "2026-02-01T00:00:00Z",
                "comments": rows,
            }
        }
        answer = await account.call("POST", "/imports/tickets", json=given)
        assert answer.status_code == 201
        assert set(answer.json()) == {"ticket"}
        shown = await account.shown(answer.json()["ticket"]["id"])
        assert (shown["created_at"], shown["updated_at"], shown["status"]) == (
            "2026-01-02T03:04:05Z",
            "2026-02-01T00:00:00Z",
            "closed",
        )
        assert [(c["created_at"], c["public"]) for c in shown["comments"]] == [
            ("2026-01-02T03:04:05Z", True),
            ("2026-01-02T04:00:00Z", False),
        ]
        assert "auto_triage" not in shown["tags"]
        assert (await account.state())["notifications"] == []


async def test_an_import_from_the_future_is_refused_whole() -> None:
    async with an_account() as account:
        rows = [{"value": "a", "created_at": "2027-01-01T00:00:00Z"}]
        given = {"ticket": {"subject": "s", "comments": rows}}
        assert (await account.call("POST", "/imports/tickets", json=given)).status_code == 422
        assert (await account.state())["tickets"] == []


async def test_a_merge_closes_the_source_and_leaves_a_system_comment() -> None:
    async with an_account() as account:
        a, b = [(await account.create())["ticket"]["id"] for _ in range(2)]
        await job(account, "POST", f"/tickets/{a}/merge", json={"ids": [b]})
        source, target = await account.shown(b), await account.shown(a)
        assert source["status"] == "closed"
        assert "closed_by_merge" in source["tags"]
        note = source["comments"][-1]
        assert (note["via"]["channel"], note["via"]["source"]["rel"]) == ("system", "merge")
        assert note["public"] is False
        assert f"#{b}" in target["comments"][-1]["body"]
        assert target["status"] == "new"


async def test_people_are_found_by_external_id_and_addresses_are_unique() -> None:
    async with an_account() as account:
        user = {"name": "Cleo", "external_id": "platform:u9", "email": "cleo@x.test"}
        made = await account.call("POST", "/users", json={"user": user})
        assert made.status_code == 201
        cleo = made.json()["user"]["id"]
        found = await account.get("/users/search", {"external_id": "platform:u9"})
        assert [one["id"] for one in found["users"]] == [cleo]
        again = await account.call("POST", "/users", json={"user": user})
        assert (again.status_code, again.json()["error"]) == (422, "RecordInvalid")
        changed = await account.call(
            "POST", "/users/create_or_update", json={"user": {**user, "name": "Cleopatra"}}
        )
        assert (changed.status_code, changed.json()["user"]["id"]) == (200, cleo)
        ids = f"{cleo},{account.integration_id}"
        many = await account.get("/users/show_many", {"ids": ids})
        assert {one["name"] for one in many["users"]} == {"Cleopatra", "syncd"}


async def test_many_users_are_a_job_whose_taken_rows_fail() -> None:
    async with an_account() as account:
        users = [{"name": f"Cleo {n}", "external_id": f"k{n % 3}"} for n in range(4)]
        refused = await account.call("POST", "/users/create_many", json={"users": users})
        assert refused.status_code == 403
        await account.switch(allows_bulk_users=True)
        done = await job(account, "POST", "/users/create_many", json={"users": users})
        found = await account.get("/users/show_many", {"external_ids": "k0,k1,k2,k3"})
        assert [one["name"] for one in found["users"]] == ["Cleo 0", "Cleo 1", "Cleo 2"]
        *made, failed = done["results"]
        assert [row["id"] for row in made] == [one["id"] for one in found["users"]]
        assert (failed["index"], failed["error"]) == (3, "UserCreateFailed")
        assert "has already been taken" in failed["details"]
        too_many = await account.call("POST", "/users/create_many", json={"users": users * 26})
        assert (too_many.status_code, too_many.json()["error"]) == (400, "TooManyValues")


async def test_a_light_agent_shows_as_an_agent_who_comments_privately() -> None:
    async with an_account() as account:
        lena = (await account.get(f"/users/{account.person('lena@acme.test')}"))["user"]
        assert (lena["role"], lena["only_private_comments"]) == ("agent", True)


@pytest.mark.parametrize("kind", ["groups", "brands"])
async def test_groups_and_brands_can_be_listed(kind: str) -> None:
    async with an_account() as account:
        rows = (await account.get(f"/{kind}", {"page[size]": 100}))[kind]
        assert rows[0]["default"] is True
        assert {row["name"] for row in rows} == {
            "groups": {"Support", "Heroku"},
            "brands": {"Acme"},
        }[kind]


async def test_the_search_lags_behind() -> None:
    async with an_account() as account:
        ticket = (await account.create(subject="Volcano", tags=["lava"]))["ticket"]
        query = {"query": "type:ticket volcano tags:lava"}
        assert (await account.get("/search", query))["results"] == []
        account.clock.advance(91)
        found = (await account.get("/search", query))["results"]
        assert [one["id"] for one in found] == [ticket["id"]]


async def test_acts_of_people_go_over_the_web_without_the_api() -> None:
    async with an_account() as account:
        made = await account.act(
            **{"as": "carl@globex.test"}, do="create", subject="Help", comment={"text": "please"}
        )
        assert made["comments"][0]["author"]["role"] == "end-user"
        deed = {"as": "alice@acme.test", "ticket_id": made["id"]}
        answered = await account.act(
            **deed, comment={"html": "<p>done</p>", "public": True}, status="solved", add_tags=["y"]
        )
        assert (answered["status"], answered["assignee_id"]) == (
            "solved",
            account.person("alice@acme.test"),
        )
        assert len(answered["audits"]) == 2
        assert answered["comments"][-1]["via"]["channel"] == "web"
        reply = {"as": "carl@globex.test", "ticket_id": made["id"]}
        again = await account.act(**reply, comment={"text": "no, it is not", "public": False})
        assert (again["status"], again["comments"][-1]["public"]) == ("open", True)
        await account.act(**deed, status="closed")
        follow = await account.act(**reply, comment={"text": "still"})
        assert follow["via"]["source"]["rel"] == "follow_up"
        gone = await account.act(**deed, do="delete")
        assert gone["is_deleted"] is True
        log = (await account.client.get("/_sandbox/requests")).json()
        assert log["total"] == 0


async def test_reset_brings_back_the_seeded_account() -> None:
    async with an_account() as account:
        await account.create()
        await account.switch(metadata_readable=False)
        await account.client.post("/_sandbox/reset")
        assert (await account.state())["tickets"] == []
        assert account.sandbox.desk.account.settings.metadata_readable is True
        assert (await account.create())["ticket"]["id"] == 4001
