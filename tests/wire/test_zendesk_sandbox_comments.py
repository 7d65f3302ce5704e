"""Comments in the Zendesk sandbox: what becomes of a text, who sees it, who is mailed."""

from __future__ import annotations

import pytest

from tests.support.zendesk_account import Account, an_account, comment

WRAP = '<div class="zd-comment" dir="auto">{}</div>'


async def html_of(account: Account, **given: object) -> str:
    """What the desk keeps of a private comment written by the integration."""
    ticket = (await account.create())["ticket"]
    answer = await account.update(ticket["id"], comment={"public": False, **given})
    assert answer.status_code == 200, answer.text
    html: str = comment(answer.json()["audit"])["html_body"]
    return html


async def test_given_html_is_cleaned_rewritten_and_wrapped() -> None:
    async with an_account() as account:
        html = await html_of(
            account,
            html_body='<p class="x" onclick="y()">a <a href="https://x.test">b</a></p>'
            "<script>z()</script><!-- mark -->",
        )
    assert html == WRAP.format(
        '<p dir="auto">a <a href="https://x.test" target="_blank" rel="noopener noreferrer">b</a>'
        "</p>"
    )


async def test_html_that_is_wrapped_already_is_not_wrapped_again() -> None:
    async with an_account() as account:
        html = await html_of(account, html_body=WRAP.format("<p>a</p>"))
    assert html.count("zd-comment") == 1


async def test_a_plain_body_loses_its_markup_and_agents_may_write_markdown() -> None:
    async with an_account() as account:
        html = await html_of(account, body="**bold**  <b>x</b>\n\nhttps://x.test/a_b")
    assert "<strong>bold</strong> x" in html
    assert '<a href="https://x.test/a_b"' in html


async def test_markdown_of_an_end_user_stays_as_written() -> None:
    async with an_account() as account:
        carl = account.person("carl@globex.test")
        html = await html_of(account, body="**bold**", author_id=carl, public=True)
    assert html == WRAP.format('<p dir="auto">**bold**</p>')


async def test_placeholders_are_expanded_for_agents_only() -> None:
    async with an_account() as account:
        expanded = await html_of(account, html_body="<p>{{ticket.id}} {{no.such}}.</p>")
        assert expanded == WRAP.format('<p dir="auto">4001 .</p>')
        carl = account.person("carl@globex.test")
        kept = await html_of(account, html_body="<p>{{ticket.id}}</p>", author_id=carl, public=True)
        assert "{{ticket.id}}" in kept
        escaped = await html_of(account, html_body="<p>&#123;&#123;ticket.id}}</p>")
        assert "{{ticket.id}}" in escaped


async def test_a_long_text_is_cut_at_64_kilobytes_without_a_word() -> None:
    async with an_account() as account:
        html = await html_of(account, html_body="<p>" + "ä" * 40_000 + "</p>")
        kept = html.count("ä")
    assert kept == (65536 - 3) // 2


async def test_null_bytes_vanish_and_emoji_and_right_to_left_text_stay() -> None:
    async with an_account() as account:
        html = await html_of(account, html_body="<p>a\x00b 🎉 שלום \u202eevil</p>")
    assert "ab 🎉 שלום \u202eevil" in html


@pytest.mark.parametrize("first", [True, False])
async def test_a_comment_without_public_inherits_what_the_ticket_began_as(*, first: bool) -> None:
    async with an_account() as account:
        made = await account.create(comment={"body": "x", "public": first})
        answer = await account.update(made["ticket"]["id"], comment={"body": "y"})
        assert comment(answer.json()["audit"])["public"] is first


async def test_a_light_agent_cannot_write_publicly() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        lena = account.person("lena@acme.test")
        written = {"body": "y", "public": True, "author_id": lena}
        answer = await account.update(ticket["id"], comment=written)
        assert comment(answer.json()["audit"])["public"] is False


async def test_a_comment_may_have_another_author_but_the_audit_is_the_callers() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        carl = account.person("carl@globex.test")
        audit = (
            await account.update(ticket["id"], comment={"body": "y", "author_id": carl})
        ).json()["audit"]
        assert comment(audit)["author_id"] == carl
        assert audit["author_id"] == account.integration_id


@pytest.mark.parametrize(("is_on", "status"), [(True, "open"), (False, "pending")])
async def test_an_update_in_an_end_users_name_reopens_or_not(*, is_on: bool, status: str) -> None:
    async with an_account(end_user_author_reopens=is_on) as account:
        ticket = (await account.create(status="pending"))["ticket"]
        carl = account.person("carl@globex.test")
        answer = await account.update(ticket["id"], comment={"body": "y", "author_id": carl})
        assert answer.json()["ticket"]["status"] == status


async def test_the_listing_has_cursor_pages_a_sort_and_the_authors() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        for number in range(4):
            await account.update(ticket["id"], comment={"body": f"c{number}", "public": False})
        path = f"/tickets/{ticket['id']}/comments"
        query = {"page[size]": 2, "sort": "-created_at", "include": "users"}
        page = await account.get(path, query)
        assert [c["body"] for c in page["comments"]] == ["c3", "c2"]
        assert [u["id"] for u in page["users"]] == [account.integration_id]
        bodies = []
        while True:
            bodies += [c["body"] for c in page["comments"]]
            if not page["meta"]["has_more"]:
                break
            page = (await account.client.get(page["links"]["next"])).json()
        assert bodies == ["c3", "c2", "c1", "c0", "It smokes."]


async def test_the_audits_listing_tells_comment_changes_and_actor_in_one_read() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        await account.act(
            **{"as": "bob@acme.test"},
            ticket_id=ticket["id"],
            comment={"text": "note", "public": False},
            status="pending",
        )
        page = await account.get(
            f"/tickets/{ticket['id']}/audits", {"page[size]": 1, "sort_order": "desc"}
        )
        (audit,) = page["audits"]
        assert audit["author_id"] == account.person("bob@acme.test")
        assert audit["via"]["channel"] == "web"
        assert {event["type"] for event in audit["events"]} == {"Comment", "Change"}
        assert page["meta"]["has_more"] is True


async def test_the_5001st_comment_is_refused() -> None:
    async with an_account(max_comments=2) as account:
        ticket = (await account.create())["ticket"]
        assert (await account.update(ticket["id"], comment={"body": "2"})).status_code == 200
        refused = await account.update(ticket["id"], comment={"body": "3"}, tags=["x"])
        assert refused.status_code == 422
        assert "x" not in (await account.shown(ticket["id"]))["tags"]


async def test_a_comment_made_private_leaves_its_audit_and_moves_the_stamp() -> None:
    async with an_account() as account:
        made = await account.create()
        ticket_id, comment_id = made["ticket"]["id"], comment(made["audit"])["id"]
        account.clock.advance(3)
        path = f"/tickets/{ticket_id}/comments/{comment_id}/make_private"
        assert (await account.call("PUT", path)).status_code == 200
        shown = await account.shown(ticket_id)
        assert shown["comments"][0]["public"] is False
        assert shown["updated_at"] == "2026-11-20T10:00:03Z"
        last = (await account.get(f"/tickets/{ticket_id}/audits"))["audits"][-1]
        assert [(e["type"], e["comment_id"]) for e in last["events"]] == [
            ("CommentPrivacyChange", comment_id)
        ]


async def test_a_redacted_text_is_blacked_out_everywhere() -> None:
    async with an_account() as account:
        made = await account.create(comment={"body": "card 4111"})
        ticket_id, comment_id = made["ticket"]["id"], comment(made["audit"])["id"]
        path = f"/tickets/{ticket_id}/comments/{comment_id}/redact"
        answer = await account.call("PUT", path, json={"text": "4111"})
        assert answer.json()["comment"]["body"] == "card ▇▇▇▇"
        assert "4111" not in str(await account.state())
        assert (await account.call("PUT", path, json={"text": "4111"})).status_code == 422


async def test_a_public_answer_mails_a_requester_who_has_an_address() -> None:
    async with an_account() as account:
        carl = account.person("carl@globex.test")
        ticket = (await account.create(requester_id=carl))["ticket"]
        await account.update(ticket["id"], comment={"body": "note", "public": False})
        await account.update(ticket["id"], comment={"body": "answer", "public": True})
        sent = (await account.state())["notifications"]
        assert [(mail["to"], mail["reason"]) for mail in sent] == [
            ("carl@globex.test", "Notify requester of received request"),
            ("carl@globex.test", "Notify requester of comment update"),
        ]


async def test_a_requester_without_an_address_is_never_mailed() -> None:
    async with an_account() as account:
        user = {"user": {"name": "Cleo", "external_id": "platform:u9"}}
        cleo = (await account.call("POST", "/users", json=user)).json()["user"]
        assert cleo["email"] is None
        ticket = (await account.create(requester_id=cleo["id"]))["ticket"]
        await account.update(ticket["id"], comment={"body": "answer", "public": True})
        assert (await account.state())["notifications"] == []


async def test_an_upload_becomes_the_comments_attachment_once() -> None:
    async with an_account() as account:
        up = await account.call(
            "POST",
            "/uploads",
            params={"filename": "log.txt"},
            content=b"hello",
            headers={"content-type": "text/plain"},
        )
        assert up.status_code == 201
        assert up.headers["content-type"].startswith("text/plain")
        token = up.json()["upload"]["token"]
        ticket = (await account.create())["ticket"]
        files = {"body": "see", "uploads": [token]}
        audit = (await account.update(ticket["id"], comment=files)).json()["audit"]
        (file,) = comment(audit)["attachments"]
        assert (file["file_name"], file["size"], file["inline"]) == ("log.txt", 5, False)
        assert (await account.client.get(file["content_url"])).content == b"hello"
        bare = await account.client.get(file["content_url"], auth=("", ""))
        assert bare.status_code == 401
        assert (await account.update(ticket["id"], comment=files)).status_code == 422
