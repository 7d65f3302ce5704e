"""What people do at the platform's own pages, and whom the platform mails about it."""

from __future__ import annotations

import pytest

from tests.support.platform_desk import OTHER_VIEW, VIEW, Platform, a_platform

PUBLIC = {"body_html": "<p>Please try again.</p>", "visibility": "public"}


async def test_a_new_ticket_tells_subject_status_and_comment_in_its_first_update() -> None:
    async with a_platform() as platform:
        file = {"name": "log.txt", "size": 12, "content_type": "text/plain"}
        opened = await platform.act(
            "Mia Keller",
            "open",
            subject="Down",
            body_html="<p>Help</p>",
            tags=["pg"],
            metadata={"app": "shop"},
            attachments=[file],
        )

    update = opened["update"]
    assert (update["version"], update["actor"]["name"]) == (1, "Mia Keller")
    assert update["subject"] == {"from": None, "to": "Down"}
    assert update["status"] == {"from": None, "to": "Open"}
    assert update["tags"] == {"added": ["pg"], "removed": []}
    assert update["comment"]["attachments"][0].items() >= file.items()
    assert opened["ticket"]["metadata_as_of"] == opened["ticket"]["created_at"]


@pytest.mark.parametrize("status", ["With customer", "Closed"])
async def test_a_customers_reply_opens_the_ticket_again(status: str) -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "a", {"status": status})
        reply = await platform.act("Mia Keller", "update", ticket_id=ticket["id"], comment=PUBLIC)

    assert reply["ticket"]["status"] == "Open"
    assert reply["update"]["status"] == {"from": status, "to": "Open"}


async def test_nobody_elses_comment_opens_a_closed_ticket() -> None:
    author = {"name": "Mia Keller", "role": "customer"}
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "a", {"status": "Closed"})
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=PUBLIC)
        written = await platform.put(ticket, "b", {"comment": {**PUBLIC, "author": author}})
        dump = await platform.dump(ticket)

    assert written.status_code == 201
    assert (dump["status"], len(dump["comments"])) == ("Closed", 3)


async def test_escalation_is_mailed_to_the_members_who_want_mails() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket(view=None)
        silent = await platform.mails(ticket_update_id(await platform.dump(ticket)))
        moved = await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=VIEW)

        assert silent == set()
        assert await platform.mails(moved["update"]["id"]) == {("Pat Acme", "escalated")}


async def test_a_customers_update_is_mailed_to_the_members_of_the_view_it_is_in() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        inside = await platform.act("Mia Keller", "update", ticket_id=ticket["id"], comment=PUBLIC)
        await platform.act("Hana Sato", "withdraw", ticket_id=ticket["id"], view=VIEW)
        outside = await platform.act("Mia Keller", "update", ticket_id=ticket["id"], comment=PUBLIC)

        assert await platform.mails(inside["update"]["id"]) == {("Pat Acme", "customer_update")}
        assert await platform.mails(outside["update"]["id"]) == set()


async def test_a_public_comment_of_others_is_mailed_to_the_customer() -> None:
    private = {**PUBLIC, "visibility": "private", "views": [VIEW]}
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "public", {"comment": PUBLIC})
        await platform.put(ticket, "private", {"comment": private})

        assert await platform.mails("public") == {("Mia Keller", "comment")}
        assert await platform.mails("private") == set()


async def test_an_update_that_is_not_to_notify_mails_nobody() -> None:
    body = {"comment": PUBLIC, "views": {"add": [OTHER_VIEW]}, "notify": False}
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "quiet", body)
        await platform.put(ticket, "loud", {**body, "views": {"remove": [VIEW]}, "notify": True})

        assert await platform.mails("quiet") == set()
        assert await platform.mails("loud") == {("Mia Keller", "comment")}


async def test_a_repetition_mails_nobody_again() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "a", {"comment": PUBLIC})
        before = (await platform.state())["notifications"]
        await platform.put(ticket, "a", {"comment": PUBLIC})

        assert (await platform.state())["notifications"] == before


@pytest.mark.parametrize(
    "wanted",
    [
        {"as": "Nobody", "do": "open", "subject": "x", "body_html": "x"},
        {"as": "Mia Keller", "do": "dance"},
        {"as": "Mia Keller", "do": "open", "subject": "x", "body_html": "<p></p>"},
        {"as": "Mia Keller", "do": "open", "subject": "x\x00", "body_html": "x"},
        {"as": "Mia Keller", "do": "open", "subject": "x", "body_html": "x", "view": "nowhere"},
        {"as": "Hana Sato", "do": "update", "ticket_id": "t0"},
        {"as": "Mia Keller", "do": "escalate", "ticket_id": "t1198847", "view": VIEW},
        {"as": "Hana Sato", "do": "escalate", "ticket_id": "t1198847", "view": "nowhere"},
        {
            "as": "Mia Keller",
            "do": "update",
            "ticket_id": "t1198847",
            "comment": {"body_html": "x", "visibility": "private"},
        },
    ],
)
async def test_what_nobody_could_do_is_refused_and_changes_nothing(wanted: object) -> None:
    async with a_platform() as platform:
        await platform.a_ticket()
        before = await platform.state()
        answer = await platform.control.post("/_sandbox/act", json=wanted)

        assert answer.status_code == 400
        assert await platform.state() == before


async def test_the_state_shows_everything_but_secrets() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        note = {"body_html": "staff only", "visibility": "private"}
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=note)
        hook = {"url": "https://hook.example/", "secret": "0123456789abcdef"}
        await platform.api.put("/webhooks/w", json=hook)
        state = await platform.state()

    shown = state["tickets"][0]
    assert [comment["body_html"] for comment in shown["comments"]][-1] == "staff only"
    assert shown["comments"][-1].keys() >= {"update_id", "author", "at", "occurred_at", "views"}
    assert [update["version"] for update in shown["updates"]] == [1, 2, 3]
    assert "0123456789abcdef" not in str(state)
    assert "platform-token" not in str(state)


async def test_a_reset_brings_the_seeded_desk_back() -> None:
    async with a_platform() as platform:
        before = await platform.state()
        ticket = await platform.a_ticket()
        await platform.control.post("/_sandbox/reset")
        after = await platform.state()
        same = await platform.a_ticket()
        waited = await platform.api.get("/changes?cursor=start&wait_seconds=1")

    assert after == before
    assert same["id"] == ticket["id"]
    assert len(waited.json()["changes"]) == 2


async def test_views_quota_and_customers_can_be_added_while_it_runs() -> None:
    async with a_platform() as platform:
        settings = {"quota": 5, "views": ["acme-redis", "umbrella-mail"]}
        changed = await platform.control.post("/_sandbox/settings", json=settings)
        bad = await platform.control.post("/_sandbox/settings", json={"quotas": 5})
        added = await platform.control.post("/_sandbox/customers", json={"name": "Ola Nord"})
        again = await platform.control.post("/_sandbox/customers", json={"name": "Ola Nord"})
        opened = await platform.act(
            "Ola Nord", "open", subject="x", body_html="x", view="acme-redis"
        )
        me = await platform.api.get("/me")
        pat = await members(platform, "Pat Acme")

    assert changed.json()["views"] == [
        "acme-postgres",
        "acme-redis",
        "globex-search",
        "umbrella-mail",
    ]
    assert (bad.status_code, added.status_code, again.status_code) == (400, 201, 200)
    assert opened["ticket"]["views"] == ["acme-redis"]
    assert me.headers["ratelimit-limit"] == "5"
    assert "umbrella-mail" in me.json()["views"]
    assert pat == [["acme-postgres", "acme-redis"]]


async def members(platform: Platform, name: str) -> list[list[str]]:
    people = (await platform.state())["people"]
    return [person["views"] for person in people if person["name"] == name]


def ticket_update_id(dump: dict[str, list[dict[str, str]]]) -> str:
    return dump["updates"][0]["id"]
