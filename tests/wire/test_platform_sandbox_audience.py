"""A token sees what is meant for its views, what it wrote itself, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.platform_desk import OTHER_VIEW, VIEW, Json, Platform, a_platform


async def a_shared_ticket(platform: Platform) -> Json:
    """A ticket in both partners' views with five comments, version 7."""
    ticket = await platform.a_ticket()
    await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=OTHER_VIEW)
    for body, visibility, views in (
        ("to all", "public", None),
        ("to staff", "private", []),
        ("to acme", "private", [VIEW]),
        ("to both", "private", [VIEW, OTHER_VIEW]),
    ):
        comment = {"body_html": body, "visibility": visibility, "views": views}
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=comment)
    return ticket


async def read(client: httpx.AsyncClient, ticket: Json) -> list[Json]:
    """The updates as the ticket's own list and the feed both tell them."""
    listed: list[Json] = (await client.get(f"/tickets/{ticket['id']}/updates")).json()["updates"]
    feed = (await client.get("/changes", params={"cursor": "start"})).json()["changes"]
    assert [change["update"] for change in feed] == listed
    return listed


def bodies(updates: list[Json]) -> list[str | None]:
    return [update["comment"] and update["comment"]["body_html"] for update in updates]


async def test_a_private_comment_is_shown_only_to_the_views_it_names() -> None:
    opening = "<p>Since this morning.</p>"
    async with a_platform() as platform:
        ticket = await a_shared_ticket(platform)
        acme = await read(platform.acme, ticket)
        globex = await read(platform.globex, ticket)
        ours = await read(platform.api, ticket)

    assert bodies(acme) == [opening, None, None, "to all", None, "to acme", "to both"]
    assert bodies(globex) == [opening, None, None, "to all", None, None, "to both"]
    assert bodies(ours) == bodies(acme)


async def test_hidden_comments_leave_the_versions_contiguous() -> None:
    async with a_platform() as platform:
        ticket = await a_shared_ticket(platform)
        updates = await read(platform.globex, ticket)

    assert [update["version"] for update in updates] == [1, 2, 3, 4, 5, 6, 7]


async def test_the_names_of_others_views_are_shown_nowhere() -> None:
    async with a_platform() as platform:
        ticket = await a_shared_ticket(platform)
        comment = {"body_html": "<p>x</p>", "views": [VIEW], "visibility": "private"}
        answers = [
            await platform.acme.get(f"/tickets/{ticket['id']}"),
            await platform.acme.get(f"/tickets/{ticket['id']}/updates"),
            await platform.acme.get("/changes?cursor=start"),
            await platform.acme.get("/tickets"),
            await platform.acme.get(f"/tickets:batch?ids={ticket['id']}"),
            await platform.put(ticket, "a", {"comment": comment}, by=platform.acme),
        ]
        both = (await platform.api.get(f"/tickets/{ticket['id']}")).json()["ticket"]["views"]

    assert [OTHER_VIEW in answer.text for answer in answers] == [False] * 6
    assert both == [VIEW, OTHER_VIEW]


async def test_a_comment_without_visibility_goes_to_staff_and_its_writer_only() -> None:
    async with a_platform() as platform:
        ticket = await a_shared_ticket(platform)
        answer = await platform.put(
            ticket, "a", {"comment": {"body_html": "<p>hm</p>"}}, by=platform.acme
        )
        acme, globex, ours = [
            (await read(client, ticket))[-1]["comment"]
            for client in (platform.acme, platform.globex, platform.api)
        ]
        kept = (await platform.dump(ticket))["comments"][-1]

    comment = answer.json()["update"]["comment"]
    assert (comment["visibility"], comment["views"]) == ("private", [])
    assert (kept["visibility"], kept["views"]) == ("private", [])
    assert acme == comment
    assert (globex, ours) == (None, None)


async def test_a_partner_sees_what_was_public_before_the_ticket_came_to_it() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket(view=None)
        hidden = {"body_html": "who takes it?", "visibility": "private"}
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=hidden)
        await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=VIEW)
        updates = await read(platform.acme, ticket)

    assert bodies(updates) == ["<p>Since this morning.</p>", None, None]
    assert updates[-1]["views"] == {"added": [VIEW], "removed": []}


async def test_a_partners_own_private_note_at_the_platform_reaches_that_partner() -> None:
    async with a_platform() as platform:
        ticket = await a_shared_ticket(platform)
        note: dict[str, Any] = {"body_html": "seen before", "visibility": "private"}
        await platform.act("Pat Acme", "update", ticket_id=ticket["id"], comment=note)
        acme, globex = await read(platform.acme, ticket), await read(platform.globex, ticket)

    assert acme[-1]["comment"]["author"]["role"] == "partner"
    assert (bodies(acme)[-1], bodies(globex)[-1]) == ("seen before", None)
