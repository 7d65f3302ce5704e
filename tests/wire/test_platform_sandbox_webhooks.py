"""Webhooks carry each change signed, at least once, and as badly as one asks for."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from tests.support.platform_contract import contract, problems
from tests.support.platform_desk import OTHER_VIEW, VIEW, Platform, a_platform
from tests.support.webhook_receiver import Received, Receiver, a_receiver

SECRET = "correct horse battery".replace(" ", "-")


async def hooked(platform: Platform, receiver: Receiver, **members: object) -> None:
    """Register the receiver for the partner's token."""
    body = {"url": receiver.url, "secret": SECRET, **members}
    (await platform.acme.put("/webhooks/main", json=body)).raise_for_status()


async def delivered(platform: Platform) -> None:
    await platform.sandbox.platform.courier.idle()


def steps(receiver: Receiver) -> list[int]:
    return [one.json()["update"]["version"] for one in receiver.received]


def is_genuine(one: Received) -> bool:
    stamp = one.headers["platform-webhook-timestamp"]
    digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + one.body, hashlib.sha256).hexdigest()
    return one.headers["platform-webhook-signature"] == f"v1={digest}"


async def test_each_change_is_posted_signed_over_its_raw_bytes() -> None:
    async with a_platform() as platform, a_receiver() as receiver:
        await hooked(platform, receiver)
        ticket = await platform.a_ticket(subject="日本語")
        await platform.put(ticket, "a", {"tags": {"add": ["x"]}})
        await delivered(platform)
        feed = (await platform.acme.get("/changes?cursor=start")).json()["changes"]

    assert sorted(steps(receiver)) == [2, 3]
    change = contract()["webhooks"]["change"]["post"]
    schema = change["requestBody"]["content"]["application/json"]["schema"]
    for one in receiver.received:
        assert problems(schema, one.json()) == []
        assert is_genuine(one)
        assert one.headers["platform-webhook-timestamp"] == "1800000000"
        for header in change["parameters"]:
            value = one.headers[header["name"].lower()]
            assert problems(header["schema"], value) == []
    assert len({one.headers["platform-webhook-id"] for one in receiver.received}) == 2
    updates = {one.json()["position"]: one.json()["update"] for one in receiver.received}
    assert updates == {c["position"]: c["update"] for c in feed if c["update"]["version"] > 1}


async def test_a_webhook_hides_what_its_token_may_not_see() -> None:
    note = {"body_html": "not for acme", "visibility": "private"}
    async with a_platform() as platform, a_receiver() as receiver:
        ticket = await platform.a_ticket()
        await hooked(platform, receiver)
        await platform.a_ticket(view=OTHER_VIEW)
        await platform.act("Hana Sato", "update", ticket_id=ticket["id"], comment=note)
        await delivered(platform)

    assert [one.json()["update"]["comment"] for one in receiver.received] == [None]
    assert b"not for acme" not in receiver.received[0].body


async def test_a_failed_delivery_is_tried_again_with_growing_pauses() -> None:
    async with a_platform(scale=2.0) as platform, a_receiver() as receiver:
        ticket = await platform.a_ticket()
        await hooked(platform, receiver)
        receiver.statuses.extend([500, 404, 302])
        before = platform.clock.seconds
        await platform.put(ticket, "a", {"status": "Closed"})
        await delivered(platform)

    assert steps(receiver) == [3, 3, 3, 3]
    assert len({one.headers["platform-webhook-id"] for one in receiver.received}) == 1
    assert all(is_genuine(one) for one in receiver.received)
    # 1 + 2 + 4 seconds, halved by the scale.
    assert platform.clock.seconds - before == 3.5


async def test_a_lost_webhook_never_arrives_and_a_doubled_one_arrives_twice() -> None:
    async with a_platform() as platform, a_receiver() as receiver:
        ticket = await platform.a_ticket()
        await hooked(platform, receiver)
        await mischief(platform, loss=1.0)
        await platform.put(ticket, "a", {"status": "Closed"})
        await mischief(platform, loss=0.0, duplicate=1.0)
        await platform.put(ticket, "b", {"status": "Open"})
        await delivered(platform)
        fates = [delivery["fate"] for delivery in (await platform.state())["deliveries"]]

    assert steps(receiver) == [4, 4]
    assert len({one.headers["platform-webhook-id"] for one in receiver.received}) == 1
    assert sorted(fates) == ["delivered", "delivered", "lost"]


async def test_a_webhook_can_arrive_before_the_answer_of_the_write() -> None:
    async with a_platform() as platform, a_receiver() as receiver:
        ticket = await platform.a_ticket()
        await hooked(platform, receiver)
        await mischief(platform, before_answer=True)
        await platform.put(ticket, "a", {"status": "Closed"})

        assert steps(receiver) == [3]


async def test_only_the_wanted_events_are_posted() -> None:
    async with a_platform() as platform, a_receiver() as receiver:
        ticket = await platform.a_ticket()
        await hooked(platform, receiver, events=["status", "views"])
        await platform.put(ticket, "a", {"tags": {"add": ["x"]}})
        await platform.put(ticket, "b", {"status": "Closed"})
        await platform.act("Hana Sato", "withdraw", ticket_id=ticket["id"], view=VIEW)
        await delivered(platform)

    assert sorted(steps(receiver)) == [4, 5]


async def test_a_webhook_is_created_replaced_read_and_removed_without_its_secret() -> None:
    wanted = {"url": "https://one.example/hook", "secret": SECRET}
    async with a_platform() as platform:
        created = await platform.acme.put("/webhooks/main", json=wanted)
        replaced = await platform.acme.put(
            "/webhooks/main", json={**wanted, "url": "http://[::1]:1/", "events": ["tags"]}
        )
        read = await platform.acme.get("/webhooks/main")
        others = await platform.globex.get("/webhooks/main")
        removed = await platform.acme.delete("/webhooks/main")
        again = await platform.acme.delete("/webhooks/main")
        gone = await platform.acme.get("/webhooks/main")

    assert [created.status_code, replaced.status_code, others.status_code] == [201, 200, 404]
    assert created.json()["webhook"]["events"] == ["comment", "status", "tags", "views", "subject"]
    assert read.json() == replaced.json()
    assert read.json()["webhook"]["url"] == "http://[::1]:1/"
    assert [removed.status_code, again.status_code, gone.status_code] == [204, 204, 404]
    assert SECRET not in created.text + read.text


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"url": "http://hook.example/"}, "url"),
        ({"url": "ftp://hook.example/"}, "url"),
        ({"url": "https://[bad/"}, "url"),
        ({"url": "https:///path"}, "url"),
        ({"secret": "short"}, "secret"),
        ({"secret": "with a blank inside it"}, "secret"),
        ({"events": []}, "events"),
        ({"events": ["everything"]}, "events.0"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_webhook_that_cannot_work_is_refused(members: dict[str, Any], field: str) -> None:
    wanted = {"url": "https://one.example/hook", "secret": SECRET, **members}
    async with a_platform() as platform:
        answer = await platform.acme.put("/webhooks/main", json=wanted)
        state = await platform.state()

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert state["webhooks"] == []


async def mischief(platform: Platform, **settings: object) -> None:
    body = {"webhooks": settings}
    (await platform.control.post("/_sandbox/settings", json=body)).raise_for_status()
