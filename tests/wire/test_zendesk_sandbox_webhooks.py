"""Webhooks of the Zendesk sandbox, received over real loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from typing import Any

import pytest

from connectors.sandbox import Attempt
from connectors.zendesk.sandbox.webhooks import retry_seconds
from tests.support.receiver import Receiver, a_receiver
from tests.support.zendesk_account import Account, an_account

TYPES = ("created", "comment_added", "status_changed", "tags_changed", "comment_made_private")


async def subscribe(account: Account, receiver: Receiver, *types: str) -> Any:
    wanted = [f"zen:event-type:ticket.{one}" for one in types or TYPES]
    given = {
        "name": "syncd",
        "endpoint": receiver.url,
        "http_method": "POST",
        "request_format": "json",
        "status": "active",
        "subscriptions": wanted,
    }
    answer = await account.call("POST", "/webhooks", json={"webhook": given})
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"]


async def idle(account: Account) -> None:
    await account.sandbox.desk.webhooks.courier.idle()


async def test_a_delivery_is_signed_over_timestamp_and_raw_body() -> None:
    async with a_receiver() as receiver, an_account() as account:
        hook = await subscribe(account, receiver, "created")
        secret = (await account.get(f"/webhooks/{hook['id']}/signing_secret"))["signing_secret"]
        assert secret["algorithm"] == "SHA256"
        await account.create(subject="Grüße")
        (got,) = await receiver.wait_for(1)
        at = got.headers["x-zendesk-webhook-signature-timestamp"]
        assert at == "2026-11-20T10:00:00Z"
        digest = hmac.new(secret["secret"].encode(), at.encode() + got.body, hashlib.sha256)
        assert got.headers["x-zendesk-webhook-signature"] == (
            base64.b64encode(digest.digest()).decode()
        )
        assert got.headers["x-zendesk-webhook-id"] == hook["id"]


async def test_one_update_is_one_delivery_per_event_type() -> None:
    async with a_receiver() as receiver, an_account() as account:
        await subscribe(account, receiver)
        ticket = (await account.create())["ticket"]
        await receiver.wait_for(2)
        await account.act(
            **{"as": "alice@acme.test"},
            ticket_id=ticket["id"],
            comment={"text": "done", "public": True},
            status="pending",
            add_tags=["x", "y"],
        )
        await idle(account)
        bodies = [got.json() for got in receiver.received]
        by_type = {body["type"].rpartition(".")[2]: body for body in bodies}
        assert len(bodies) == 5
        assert set(by_type) == {"created", "comment_added", "status_changed", "tags_changed"}
        status = by_type["status_changed"]
        assert status["event"]["current"] == "PENDING"
        assert status["event"]["previous"] == "NEW"
        assert status["subject"] == f"zen:ticket:{ticket['id']}"
        assert status["detail"]["id"] == str(ticket["id"])
        assert status["detail"]["status"] == "PENDING"
        assert status["detail"]["actor_id"] == str(account.person("alice@acme.test"))
        tags = by_type["tags_changed"]["event"]
        # What the trigger added in the same update comes in the same delivery.
        assert tags["tags_added"] == ["in_conversation", "x", "y"]
        comment = by_type["comment_added"]["event"]["comment"]
        assert comment["author"]["is_staff"] is True
        assert "html_body" not in comment


async def test_nothing_is_sent_to_who_did_not_subscribe() -> None:
    async with a_receiver() as receiver, an_account() as account:
        hook = await subscribe(account, receiver, "status_changed")
        ticket = (await account.create())["ticket"]
        await account.update(ticket["id"], status="pending")
        await idle(account)
        assert [got.json()["type"] for got in receiver.received] == [
            "zen:event-type:ticket.status_changed"
        ]
        assert (await account.call("DELETE", f"/webhooks/{hook['id']}")).status_code == 204
        await account.update(ticket["id"], status="open")
        await idle(account)
        assert len(receiver.received) == 1


async def test_a_webhook_can_arrive_before_the_answer_of_its_own_write() -> None:
    async with a_receiver() as receiver, an_account(webhook_before_answer=True) as account:
        await subscribe(account, receiver, "created")
        await account.create()
        assert len(receiver.received) == 1


async def test_loss_and_duplicates_are_seeded() -> None:
    async def fates(seed: int) -> Counter[str]:
        settings: Any = {"webhook_loss": 0.3, "webhook_duplicate": 0.3, "webhook_reorder": 0.3}
        settings |= {"seed": seed, "scale": 10_000}
        async with a_receiver() as receiver, an_account(**settings) as account:
            await subscribe(account, receiver, "created")
            for _ in range(40):
                await account.create()
            await idle(account)
            state = await account.state()
        counts = Counter(one["fate"] for one in state["deliveries"])
        assert counts["delivered"] == len(receiver.received)
        return counts

    first = await fates(1)
    assert first == await fates(1)
    assert 0 < first["lost"] < 40
    assert first["delivered"] > 40 - first["lost"]


@pytest.mark.parametrize(
    ("status", "headers", "count"),
    [
        (409, {}, 4),
        (429, {"retry-after": "1"}, 6),
        (503, {}, 1),
        (503, {"retry-after": "61"}, 1),
        (500, {}, 1),
        (404, {}, 1),
    ],
)
async def test_a_failing_receiver_is_tried_again_only_as_documented(
    status: int, headers: dict[str, str], count: int
) -> None:
    answering = a_receiver(lambda _number: (status, headers))
    async with answering as receiver, an_account(scale=10_000) as account:
        await subscribe(account, receiver, "created")
        await account.create()
        await idle(account)
        assert len(receiver.received) == count
        (delivery,) = (await account.state())["deliveries"]
        assert (delivery["fate"], delivery["statuses"]) == ("failed", [status] * count)


async def test_a_receiver_that_recovers_gets_the_same_event_again() -> None:
    answering = a_receiver(lambda number: (409 if number == 1 else 202, {}))
    async with answering as receiver, an_account(scale=10_000) as account:
        await subscribe(account, receiver, "created")
        await account.create()
        await idle(account)
        first, second = receiver.received
        assert first.body == second.body


def test_timeouts_are_tried_six_times_in_all() -> None:
    def attempt(number: int) -> Attempt:
        return Attempt(number=number, status=None, retry_after_seconds=None, is_timeout=True)

    assert [retry_seconds(attempt(n)) is not None for n in range(1, 8)] == [True] * 5 + [False] * 2
    refused = Attempt(number=1, status=None, retry_after_seconds=None)
    assert retry_seconds(refused) is None


async def test_most_failures_break_the_circuit_for_a_while() -> None:
    async with a_receiver(lambda _number: (500, {})) as receiver, an_account() as account:
        await subscribe(account, receiver, "created")
        for _ in range(100):
            await account.create()
        await idle(account)
        assert len(receiver.received) == 100
        await account.create()
        assert account.sandbox.desk.webhooks.pause_seconds() == 5.0
        assert len(receiver.received) == 100


async def test_an_import_fires_no_webhooks_unless_switched() -> None:
    for fires, count in ((False, 0), (True, 1)):
        async with a_receiver() as receiver, an_account(import_fires_webhooks=fires) as account:
            await subscribe(account, receiver, "created")
            given = {"ticket": {"subject": "s", "comments": [{"value": "a"}, {"value": "b"}]}}
            await account.call("POST", "/imports/tickets", json=given)
            await idle(account)
            assert len(receiver.received) == count


async def test_webhooks_can_be_listed_changed_and_their_secret_reset() -> None:
    async with a_receiver() as receiver, an_account() as account:
        hook = await subscribe(account, receiver)
        path = f"/webhooks/{hook['id']}"
        listed = await account.get("/webhooks", {"page[size]": 10})
        assert [one["id"] for one in listed["webhooks"]] == [hook["id"]]
        change = {"webhook": {"status": "inactive"}}
        assert (await account.call("PATCH", path, json=change)).status_code == 204
        assert (await account.get(path))["webhook"]["status"] == "inactive"
        before = (await account.get(f"{path}/signing_secret"))["signing_secret"]["secret"]
        after = (await account.call("POST", f"{path}/signing_secret")).json()["signing_secret"]
        assert after["secret"] != before
        await account.create()
        await idle(account)
        assert receiver.received == []


async def test_a_merged_ticket_tells_its_target() -> None:
    async with a_receiver() as receiver, an_account() as account:
        await subscribe(account, receiver, "merged")
        target, source = [(await account.create())["ticket"]["id"] for _ in range(2)]
        deed = {"as": "alice@acme.test", "do": "merge", "into": target}
        await account.act(**deed, ticket_id=source)
        await idle(account)
        (got,) = receiver.received
        assert got.json()["subject"] == f"zen:ticket:{source}"
        assert got.json()["event"]["target_ticket_id"] == str(target)


async def test_what_was_sent_to_a_webhook_is_listed_with_its_end() -> None:
    answering = a_receiver(lambda number: (202 if number == 1 else 404, {}))
    async with answering as receiver, an_account() as account:
        hook = await subscribe(account, receiver, "created")
        other = await subscribe(account, receiver, "tags_changed")
        for _ in range(2):
            await account.create()
            await idle(account)
            account.clock.advance(60)
        path = f"/webhooks/{hook['id']}/invocations"
        listed = (await account.get(path, {"page[size]": 10}))["invocations"]
        assert [(one["status"], one["status_code"]) for one in listed] == [
            ("success", 202),
            ("client error", 404),
        ]
        assert listed[0]["latest_completed_at"] == "2026-11-20T10:00:00Z"
        since = {"filter[from_ts]": "2026-11-20T10:00:30Z"}
        assert len((await account.get(path, since))["invocations"]) == 1
        theirs = await account.get(f"/webhooks/{other['id']}/invocations")
        assert theirs["invocations"] == []


async def test_a_tripped_breaker_holds_back_until_it_is_mended() -> None:
    async with a_receiver() as receiver, an_account(scale=10_000) as account:
        hook = await subscribe(account, receiver, "created")
        await account.switch(webhook_is_tripped=True)
        await account.create()
        path = f"/webhooks/{hook['id']}/invocations"
        (held,) = (await account.get(path))["invocations"]
        assert (held["status"], held["latest_completed_at"]) == ("circuit broken", None)
        assert receiver.received == []
        await account.switch(webhook_is_tripped=False)
        await idle(account)
        assert [one["status"] for one in (await account.get(path))["invocations"]] == ["success"]
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "subscriptions",
    [
        ["zen:event-type:ticket.mood_changed"],
        ["zen:event-type:ticket.created", "conditional_ticket_events"],
        ["conditional_ticket_events"],
    ],
)
async def test_subscriptions_that_the_account_does_not_know_or_cannot_mix_are_refused(
    subscriptions: list[str],
) -> None:
    async with a_receiver() as receiver, an_account() as account:
        hook = await subscribe(account, receiver, "created")
        change = {"webhook": {"subscriptions": subscriptions}}
        answer = await account.call("PATCH", f"/webhooks/{hook['id']}", json=change)
        assert answer.status_code == 422
        assert (await account.get(f"/webhooks/{hook['id']}"))["webhook"] == hook
