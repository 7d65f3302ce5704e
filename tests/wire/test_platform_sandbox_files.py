"""Files by the contract: put ahead of their comment, seen by those who see the comment."""

from __future__ import annotations

import httpx
import pytest

from tests.support.platform_desk import OTHER_VIEW, VIEW, Json, a_platform
from tests.wire.test_platform_sandbox_contract import refused

BYTES = b"\x00\x01 bytes of any kind \xff"


async def put(
    client: httpx.AsyncClient, file_id: str = "f-1", content: bytes = BYTES, name: str = "a.bin"
) -> httpx.Response:
    return await client.put(
        f"/attachments/{file_id}/content",
        params={"name": name},
        content=content,
        headers={"content-type": "application/x-thing"},
    )


async def comment(
    client: httpx.AsyncClient, ticket: Json, *ids: str, update_id: str = "u-1", **members: object
) -> httpx.Response:
    body = {"comment": {"body_html": "<p>See</p>", "attachments": list(ids), **members}}
    return await client.put(f"/tickets/{ticket['id']}/updates/{update_id}", json=body)


async def fetch(client: httpx.AsyncClient, file_id: str = "f-1") -> httpx.Response:
    return await client.get(f"/attachments/{file_id}/content")


async def test_a_file_goes_with_the_comment_that_names_it() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        given = await put(platform.acme)
        assert given.status_code == 201
        assert given.json()["attachment"]["size"] == len(BYTES)
        written = await comment(platform.acme, ticket, "f-1")
        (shown,) = written.json()["update"]["comment"]["attachments"]
        assert (shown["id"], shown["name"]) == ("f-1", "a.bin")
        answer = await fetch(platform.acme)
        assert (answer.content, answer.headers["content-type"]) == (BYTES, "application/x-thing")


async def test_the_same_bytes_again_are_the_same_file_and_others_are_refused() -> None:
    async with a_platform() as platform:
        first = await put(platform.acme)
        again = await put(platform.acme)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        for other in (
            await put(platform.acme, content=b"other"),
            await put(platform.acme, name="b.bin"),
            await put(platform.globex),
        ):
            await refused(other, 409, "attachment_id_reused")


async def test_a_repeated_update_takes_its_files_once() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await put(platform.acme)
        first = await comment(platform.acme, ticket, "f-1")
        again = await comment(platform.acme, ticket, "f-1")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["update"] == again.json()["update"]


async def test_a_file_of_somebody_else_or_of_another_comment_changes_nothing() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await put(platform.acme)
        await put(platform.globex, "f-2")
        await comment(platform.acme, ticket, "f-1")
        for ids in (["f-1"], ["f-2"], ["f-3"]):
            answer = await comment(platform.acme, ticket, *ids, update_id="u-2")
            await refused(answer, 422, "attachment_unknown", "comment.attachments")
        shown = await platform.acme.get(f"/tickets/{ticket['id']}")
        assert shown.json()["ticket"]["version"] == ticket["version"] + 1


async def test_a_file_is_for_those_who_see_its_comment() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await platform.act("Hana Sato", "escalate", ticket_id=ticket["id"], view=OTHER_VIEW)
        await put(platform.acme)
        assert (await fetch(platform.globex)).status_code == 404
        await comment(platform.acme, ticket, "f-1", visibility="private", views=[VIEW])
        assert (await fetch(platform.globex)).status_code == 404
        assert (await platform.globex.get("/attachments/f-1")).status_code == 404
        await put(platform.acme, "f-2")
        await comment(platform.acme, ticket, "f-2", update_id="u-2", visibility="public")
        assert (await fetch(platform.globex, "f-2")).content == BYTES


async def test_a_file_that_no_comment_takes_is_forgotten_after_a_day() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        await put(platform.acme)
        await put(platform.acme, "f-2")
        await comment(platform.acme, ticket, "f-2")
        platform.clock.seconds += 86_400
        late = await comment(platform.acme, ticket, "f-1", update_id="u-2")
        await refused(late, 422, "attachment_unknown", "comment.attachments")
        assert (await fetch(platform.acme)).status_code == 404
        assert (await fetch(platform.acme, "f-2")).content == BYTES
        assert (await put(platform.acme, content=b"anew")).status_code == 201


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a/b", "a\\b", "a\nb"])
async def test_a_name_that_is_a_path_or_none_is_refused(name: str) -> None:
    async with a_platform() as platform:
        await refused(await put(platform.acme, name=name), 400, "bad_request", "name")


async def test_what_is_too_large_or_of_a_refused_type_is_not_kept() -> None:
    async with a_platform() as platform:
        platform.sandbox.platform.register.files.refused_types = (".exe",)
        large = await put(platform.acme, content=b"x" * 50_000_001)
        await refused(large, 413, "body_too_large")
        await refused(await put(platform.acme, name="A.EXE"), 422, "type_not_allowed", "name")
        assert (await fetch(platform.acme)).status_code == 404


async def test_contents_may_be_elsewhere() -> None:
    async with a_platform() as platform:
        await put(platform.acme)
        platform.sandbox.platform.register.files.host = "https://files.example"
        answer = await fetch(platform.acme)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("https://files.example/f-1?")
