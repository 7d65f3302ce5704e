"""An update is atomic, applied once for its id, and guarded by the version it was decided on."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox import ConnectionDropped
from tests.support.platform_desk import OTHER_VIEW, VIEW, Platform, a_platform

ANSWER: dict[str, Any] = {
    "comment": {
        "visibility": "public",
        "body_html": "<p>Try again.</p>",
        "author": {"name": "Aiko Abe", "role": "partner"},
        "occurred_at": "2026-11-22T10:00:00.5+09:00",
    },
    "status": "With customer",
    "tags": {"add": ["urgent", "product-pg"], "remove": ["absent"]},
}


async def test_an_update_moves_comment_status_and_tags_in_one_step() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket(tags=["urgent"])
        answer = await platform.put(ticket, "sync:1", ANSWER, if_match=2)

    assert answer.status_code == 201
    assert answer.headers["etag"] == '"3"'
    ticket, update = answer.json()["ticket"], answer.json()["update"]
    assert (ticket["version"], ticket["status"]) == (3, "With customer")
    assert ticket["tags"] == ["urgent", "product-pg"]
    assert (update["id"], update["version"], update["via"]) == ("sync:1", 3, "api")
    assert update["actor"] == {"id": "integration-platform", "name": "syncd", "role": "integration"}
    assert update["status"] == {"from": "Open", "to": "With customer"}
    assert update["tags"] == {"added": ["product-pg"], "removed": []}
    assert (update["views"], update["subject"]) == (None, None)
    comment = update["comment"]
    assert comment["id"] == "sync:1"
    assert comment["author"] == {"name": "Aiko Abe", "role": "partner"}
    assert (comment["visibility"], comment["views"]) == ("public", [])
    assert comment["occurred_at"] == "2026-11-22T01:00:00.500000Z"


async def test_the_same_request_again_changes_nothing_and_tells_what_was_done() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        first = await platform.put(ticket, "a", ANSWER, if_match=2)
        await platform.put(ticket, "b", {"tags": {"add": ["later"]}})
        again = await platform.put(ticket, "a", dict(reversed(ANSWER.items())), if_match=2)
        dump = await platform.dump(ticket)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["update"] == first.json()["update"]
    assert again.json()["ticket"]["version"] == 4
    assert [update["id"] for update in dump["updates"][2:]] == ["a", "b"]
    assert len(dump["comments"]) == 2


async def test_a_lost_answer_and_the_same_request_again_write_once() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.control.post(
            "/_sandbox/faults", json={"action": "drop_after", "kind": "write"}
        )
        with pytest.raises(ConnectionDropped):
            await platform.put(ticket, "a", ANSWER, if_match=2)
        again = await platform.put(ticket, "a", ANSWER, if_match=2)
        dump = await platform.dump(ticket)

    assert again.status_code == 200
    assert again.json()["update"]["version"] == 3
    assert [comment["id"] for comment in dump["comments"]].count("a") == 1


async def test_a_server_error_after_applying_and_the_same_request_again_write_once() -> None:
    fault = {"action": "status", "status": 503, "applied": True, "kind": "write"}
    body = {"error": {"code": "unavailable", "message": "Later."}}
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.control.post("/_sandbox/faults", json={**fault, "body": body})
        lost = await platform.put(ticket, "a", ANSWER)
        again = await platform.put(ticket, "a", ANSWER)
        dump = await platform.dump(ticket)

    assert (lost.status_code, again.status_code) == (503, 200)
    assert dump["version"] == 3


async def test_an_id_is_not_given_to_a_second_update() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.put(ticket, "a", {"status": "Closed"})
        other_body = await platform.put(ticket, "a", {"status": "Open"})
        other_writer = await platform.put(ticket, "a", {"status": "Closed"}, by=platform.acme)
        platforms_own = await platform.put(
            ticket, (await platform.dump(ticket))["updates"][0]["id"], {"status": "Open"}
        )
        elsewhere = await platform.put(await platform.a_ticket(), "a", {"status": "Closed"})
        dump = await platform.dump(ticket)

    for answer in (other_body, other_writer, platforms_own):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "update_id_reused")
    assert elsewhere.status_code == 201
    assert (dump["status"], dump["version"]) == ("Closed", 3)


async def test_an_update_decided_on_an_old_version_is_refused_with_the_present_one() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], add_tags=["vip"])
        stale = await platform.put(ticket, "a", ANSWER, if_match=2)
        fresh = await platform.put(ticket, "a", ANSWER, if_match=3)

    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "version_mismatch")
    assert (stale.json()["error"]["version"], stale.headers["etag"]) == (3, '"3"')
    assert (fresh.status_code, fresh.json()["ticket"]["version"]) == (201, 4)


async def test_an_update_without_a_version_or_with_a_star_is_taken_at_any_version() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        path = f"/tickets/{ticket['id']}/updates"
        star = await platform.api.put(
            f"{path}/a", json={"status": "Closed"}, headers={"If-Match": "*"}
        )
        bad = await platform.api.put(
            f"{path}/b", json={"status": "Open"}, headers={"If-Match": 'W/"3"'}
        )

    assert star.status_code == 201
    assert (bad.status_code, bad.json()["error"]["field"]) == (400, "If-Match")


async def test_an_update_that_changes_nothing_makes_no_step_but_uses_its_id() -> None:
    body = {"status": "Open", "tags": {"add": ["urgent"], "remove": ["absent"]}}
    async with a_platform() as platform:
        ticket = await platform.a_ticket(tags=["urgent"])
        first = await platform.put(ticket, "a", body)
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], remove_tags=["urgent"])
        again = await platform.put(ticket, "a", body)
        dump = await platform.dump(ticket)

    assert (first.status_code, first.json()["update"]) == (200, None)
    assert first.json()["ticket"]["version"] == 2
    assert (again.status_code, again.json()["update"]) == (200, None)
    assert (dump["tags"], dump["version"]) == ([], 3)


async def test_removing_the_own_view_hands_the_ticket_back_and_keeps_it_readable() -> None:
    hand_back = {
        "comment": {"body_html": "<p>Not ours.</p>", "visibility": "private", "views": [VIEW]},
        "status": "Open",
        "views": {"remove": [VIEW]},
    }
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        answer = await platform.put(ticket, "a", hand_back, by=platform.acme)
        comment = await platform.put(
            ticket,
            "b",
            {"comment": {"body_html": "<p>One more.</p>"}, "tags": {"add": ["late"]}},
            by=platform.acme,
        )
        status = await platform.put(ticket, "c", {"status": "Closed"}, by=platform.acme)
        same = await platform.put(ticket, "d", {"status": "Open"}, by=platform.acme)
        back = await platform.put(
            ticket, "e", {"status": "Closed", "views": {"add": [VIEW]}}, by=platform.acme
        )
        dump = await platform.dump(ticket)

    assert answer.json()["update"]["views"] == {"added": [], "removed": [VIEW]}
    assert answer.json()["ticket"]["views"] == []
    assert comment.status_code == 201
    assert (status.status_code, status.json()["error"]["code"]) == (409, "not_in_view")
    assert (same.status_code, back.status_code) == (200, 201)
    assert (dump["views"], dump["status"], dump["version"]) == ([VIEW], "Closed", 5)


async def test_a_ticket_that_was_never_in_a_tokens_view_does_not_exist_for_it() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket(view=OTHER_VIEW)
        unescalated = await platform.a_ticket(view=None)
        answers = [
            await platform.acme.get(f"/tickets/{ticket['id']}"),
            await platform.acme.get(f"/tickets/{ticket['id']}/updates"),
            await platform.put(ticket, "a", {"status": "Closed"}, by=platform.acme),
            await platform.api.get(f"/tickets/{unescalated['id']}"),
        ]
        dump = await platform.dump(ticket)

    assert [answer.status_code for answer in answers] == [404] * 4
    assert dump["version"] == 2


async def test_a_token_cannot_name_a_view_that_is_not_its_own() -> None:
    private = {"body_html": "<p>x</p>", "views": [OTHER_VIEW]}
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        answers = [
            await platform.put(ticket, "a", {"comment": private}, by=platform.acme),
            await platform.put(ticket, "a", {"views": {"add": [OTHER_VIEW]}}, by=platform.acme),
            await platform.acme.get("/tickets", params={"view": OTHER_VIEW}),
        ]
        dump = await platform.dump(ticket)

    assert [answer.status_code for answer in answers] == [403] * 3
    assert {answer.json()["error"]["code"] for answer in answers} == {"view_not_allowed"}
    assert dump["version"] == 2


async def refusal(platform: Platform, body: object, update_id: str = "a") -> tuple[int, str, str]:
    ticket = await platform.a_ticket()
    path = f"/tickets/{ticket['id']}/updates/{update_id}"
    content = body if isinstance(body, bytes) else None
    answer = await platform.api.put(path, content=content, json=None if content else body)
    assert (await platform.dump(ticket))["version"] == 2
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field", "")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "bad_request", "")),
        (b'{"status": "Clo', (400, "bad_request", "")),
        (b"\xff\xfe", (400, "bad_request", "")),
        (b"[" * 100_000, (400, "bad_request", "")),
        (b"[]", (400, "bad_request", "")),
        ({"status": "solved"}, (422, "invalid", "status")),
        ({"stauts": "Open"}, (422, "invalid", "stauts")),
        ({"status": None}, (422, "invalid", "")),
        ({"notify": "no"}, (422, "invalid", "notify")),
        ({"tags": {"add": [""]}}, (422, "invalid", "tags.add.0")),
        ({"tags": {"add": ["a,b"]}}, (422, "invalid", "tags.add.0")),
        ({"tags": {"add": ["a"], "remove": ["a"]}}, (422, "invalid", "tags")),
        ({"tags": {"add": [f"t{n}" for n in range(201)]}}, (422, "too_many_tags", "tags.add")),
        ({"comment": {"visibility": "public"}}, (422, "invalid", "comment.body_html")),
        ({"comment": {"body_html": "x", "public": True}}, (422, "invalid", "comment.public")),
        (
            {"comment": {"body_html": "x", "visibility": "internal"}},
            (422, "invalid", "comment.visibility"),
        ),
        (
            {"comment": {"body_html": "x", "visibility": "public", "views": [VIEW]}},
            (422, "invalid", "comment.views"),
        ),
        (
            {"comment": {"body_html": "x", "occurred_at": "2026-02-30T00:00:00Z"}},
            (422, "invalid", "comment.occurred_at"),
        ),
        (
            {"comment": {"body_html": "x", "occurred_at": 1}},
            (422, "invalid", "comment.occurred_at"),
        ),
        (
            {"comment": {"body_html": "x", "author": {"name": "x", "role": "boss"}}},
            (422, "invalid", "comment.author.role"),
        ),
        ({"comment": {"body_html": "a\x00b"}}, (422, "invalid_text", "comment.body_html")),
        (b'{"comment": {"body_html": "\\ud83d"}}', (422, "invalid_text", "comment.body_html")),
        (
            {"comment": {"body_html": "<script>alert(1)</script><p>&nbsp;</p>"}},
            (422, "body_blank", "comment.body_html"),
        ),
        (
            {"comment": {"body_html": "x" * (1024 * 1024 + 1)}},
            (422, "body_too_large", "comment.body_html"),
        ),
        (b" " * (4 * 1024 * 1024 + 1), (413, "body_too_large", "")),
    ],
    ids=lambda case: str(case)[:60],
)
async def test_a_request_that_cannot_be_meant_is_refused_whole(
    body: object, expected: tuple[int, str, str]
) -> None:
    async with a_platform() as platform:
        assert await refusal(platform, body) == expected


@pytest.mark.parametrize("update_id", ["a%20b", "x" * 129, "caf%C3%A9"])
async def test_an_id_outside_its_alphabet_is_refused(update_id: str) -> None:
    async with a_platform() as platform:
        expected = (400, "bad_request", "update_id")
        assert await refusal(platform, {"status": "Open"}, update_id) == expected


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<p>a<br>b</p>", "<p>a<br>b</p>"),
        ("plain & simple", "plain &amp; simple"),
        ("<h1>Big</h1><img src=x onerror=alert(1)>", "Big"),
        ('<p onclick="x()" class="y">a</p>', "<p>a</p>"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ("<blockquote><p>q</p></blockquote>", "<blockquote><p>q</p></blockquote>"),
        ("<p>日本語 🎉 \u202eabc</p>", "<p>日本語 🎉 \u202eabc</p>"),
    ],
)
async def test_a_comments_html_is_cleaned_once_and_for_all(written: str, kept: str) -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        first = await platform.put(ticket, "a", {"comment": {"body_html": written}})
        second = await platform.put(ticket, "b", {"comment": {"body_html": kept}})

    assert first.json()["update"]["comment"]["body_html"] == kept
    assert second.json()["update"]["comment"]["body_html"] == kept


async def test_a_clock_that_goes_back_does_not_take_the_updates_with_it() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        platform.clock.seconds -= 3600
        answer = await platform.put(ticket, "a", {"status": "Closed"})

    assert answer.json()["update"]["at"] == ticket["updated_at"]
