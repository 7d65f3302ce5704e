"""The webhook at a Zendesk account: found, judged, mended, and nothing else touched."""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.event_types import SUBSCRIPTIONS
from connectors.zendesk.hook import judge
from connectors.zendesk.hook_calls import Invocation
from connectors.zendesk.settings import Settings
from syncd.core.errors import OutcomeUnknown, Unauthentic, Unauthorised
from syncd.core.hook import HookFault, HookView
from syncd.core.model import ConnectionName
from syncd.engine.budget import BudgetLedger
from tests.support.zendesk_desk import TOKEN, Json, ZendeskDesk, a_zendesk_desk

OURS = "http://127.0.0.1:9/webhooks/acme"
THEIRS = "http://127.0.0.1:9/webhooks/staging"
NAME = "syncd acme"


@dataclass(kw_only=True)
class Account:
    """An account whose only webhook leads to a receiver of the test's, and connections to it."""

    desk: ZendeskDesk
    stack: contextlib.AsyncExitStack

    def connection(
        self,
        *,
        webhooks: Any = "managed",
        secret: str = "",
        token: str = TOKEN,
        feed: str = "exports",
    ) -> ZendeskConnector:
        settings = Settings.model_validate(
            {
                "kind": "zendesk",
                "url": self.desk.address,
                "api_token": {"email": "syncd@acme.test", "token": token},
                "webhooks": webhooks,
                **({"webhook_secret": secret} if secret else {}),
            }
        )
        connector = ZendeskConnector(
            ConnectionName("acme"),
            settings.model_copy(update={"feed": feed}),
            budget=BudgetLedger(settings.budget, clock=self.desk.clock),
            clock=self.desk.clock,
        )
        self.stack.push_async_callback(connector.close)
        return connector

    async def hooks(self) -> list[Json]:
        """All webhooks but the one that every test desk has."""
        shown = (await self.desk.control.get("/api/v2/webhooks")).json()["webhooks"]
        return [hook for hook in shown if hook["endpoint"] != self.desk.receiver.url]

    async def add(self, endpoint: str = OURS, **members: Any) -> str:
        wanted: Json = {
            "name": NAME,
            "endpoint": endpoint,
            "status": "active",
            "subscriptions": sorted(SUBSCRIPTIONS),
        }
        answer = await self.desk.control.post(
            "/api/v2/webhooks", json={"webhook": wanted | members}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["webhook"]["id"])

    async def secret(self, hook_id: str) -> str:
        answer = await self.desk.control.get(f"/api/v2/webhooks/{hook_id}/signing_secret")
        return str(answer.json()["signing_secret"]["secret"])

    async def reset_secret(self, hook_id: str) -> None:
        answer = await self.desk.control.post(f"/api/v2/webhooks/{hook_id}/signing_secret")
        assert answer.status_code == 201

    def requests(self) -> list[str]:
        """What the connector asked since the last time."""
        asked = [f"{e.method} {e.template}" for e in self.desk.sandbox.log.since(0)]
        self.desk.sandbox.log.clear()
        return asked


@contextlib.asynccontextmanager
async def an_account(**settings: Any) -> AsyncIterator[Account]:
    async with (
        a_zendesk_desk(token=TOKEN, **settings) as desk,
        contextlib.AsyncExitStack() as stack,
    ):
        account = Account(desk=desk, stack=stack)
        account.requests()
        yield account


async def ensured(connector: ZendeskConnector, **how: bool) -> HookView:
    """Look, mend, look again."""
    await connector.hook.mend(await connector.hook.look(OURS), **how)
    return await connector.hook.look(OURS)


# --- making and mending --------------------------------------------------------------------------


async def test_a_webhook_that_is_missing_is_made_once() -> None:
    async with an_account() as account:
        connector = account.connection()
        first = await connector.hook.look(OURS)
        assert (first.faults, first.hook_id) == ((HookFault.MISSING,), None)
        assert (await ensured(connector)).is_sound
        (hook,) = await account.hooks()
        assert hook["endpoint"] == OURS
        assert hook["name"] == NAME
        assert hook["status"] == "active"
        assert set(hook["subscriptions"]) == SUBSCRIPTIONS
        account.requests()
        assert (await ensured(connector)).is_sound
        assert {request.split()[0] for request in account.requests()} == {"GET"}
        assert len(await account.hooks()) == 1


async def test_what_a_webhook_lacks_is_added_and_nothing_is_taken_from_it() -> None:
    async with an_account() as account:
        extra = "zen:event-type:ticket.priority_changed"
        some = ["zen:event-type:ticket.created", extra]
        hook_id = await account.add(status="inactive", subscriptions=some, name="ours by address")
        connector = account.connection()
        view = await connector.hook.look(OURS)
        assert set(view.faults) == {HookFault.DISABLED, HookFault.LACKS_EVENTS}
        assert (await ensured(connector)).is_sound
        (hook,) = await account.hooks()
        assert (hook["id"], hook["name"], hook["status"]) == (hook_id, "ours by address", "active")
        assert set(hook["subscriptions"]) == {*SUBSCRIPTIONS, extra}


async def test_more_events_than_needed_are_no_fault() -> None:
    async with an_account() as account:
        extra = "zen:event-type:ticket.priority_changed"
        await account.add(subscriptions=[*SUBSCRIPTIONS, extra])
        assert (await account.connection().hook.look(OURS)).is_sound


async def test_the_webhook_of_another_installation_is_left_alone() -> None:
    async with an_account() as account:
        theirs = await account.add(THEIRS)
        connector = account.connection()
        assert (await connector.hook.look(OURS)).elsewhere == (THEIRS,)
        assert (await ensured(connector)).is_sound
        assert {hook["endpoint"] for hook in await account.hooks()} == {OURS, THEIRS}
        assert (await account.hooks())[0]["id"] == theirs


async def test_one_that_leads_elsewhere_is_moved_where_a_person_says_so() -> None:
    async with an_account() as account:
        hook_id = await account.add(THEIRS, status="inactive")
        assert (await ensured(account.connection(), may_move=True)).is_sound
        (hook,) = await account.hooks()
        assert (hook["id"], hook["endpoint"], hook["status"]) == (hook_id, OURS, "active")


async def test_of_several_that_lead_elsewhere_none_is_moved() -> None:
    async with an_account() as account:
        await account.add(THEIRS)
        await account.add(f"{THEIRS}-2")
        assert (await ensured(account.connection(), may_move=True)).is_sound
        assert {hook["endpoint"] for hook in await account.hooks()} == {
            OURS, THEIRS, f"{THEIRS}-2",
        }  # fmt: skip


async def test_one_that_triggers_call_is_not_the_one_by_events() -> None:
    async with an_account() as account:
        await account.add(subscriptions=["conditional_ticket_events"])
        connector = account.connection()
        assert (await connector.hook.look(OURS)).faults == (HookFault.MISSING,)
        assert (await ensured(connector)).is_sound
        assert len(await account.hooks()) == 2


async def test_where_the_account_is_swept_one_that_triggers_call_will_do() -> None:
    async with an_account() as account:
        hook_id = await account.add(subscriptions=["conditional_ticket_events"], status="inactive")
        connector = account.connection(feed="sweep")
        assert (await connector.hook.look(OURS)).faults == (HookFault.DISABLED,)
        assert (await ensured(connector)).is_sound
        (hook,) = await account.hooks()
        assert (hook["id"], hook["subscriptions"]) == (hook_id, ["conditional_ticket_events"])
        assert signed(connector, account.desk, await account.secret(hook_id))


async def test_two_that_lead_here_are_told_of_and_not_removed() -> None:
    async with an_account() as account:
        await account.add()
        await account.add()
        assert (await ensured(account.connection())).faults == (HookFault.DOUBLED,)
        assert len(await account.hooks()) == 2


async def test_a_creation_whose_answer_is_lost_is_found_by_the_next_look() -> None:
    async with an_account() as account:
        connector = account.connection()
        view = await connector.hook.look(OURS)
        fault = Fault(action="drop_after", methods=frozenset({"POST"}), path="/webhooks")
        account.desk.sandbox.faults.arm(fault)
        with pytest.raises(OutcomeUnknown):
            await connector.hook.mend(view)
        assert (await ensured(connector)).is_sound
        assert len(await account.hooks()) == 1


# --- the secret ----------------------------------------------------------------------------------


def signed(connector: ZendeskConnector, desk: ZendeskDesk, secret: str) -> bool:
    """Whether the connection believes what that secret signed."""
    body, at = b'{"type":"zen:event-type:user.created"}', desk.clock.now().strftime("%FT%TZ")
    digest = hmac.new(secret.encode(), at.encode() + body, "sha256").digest()
    headers = {
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": at,
    }
    try:
        connector.read_webhook(headers, body, now=desk.clock.now())
    except Unauthentic:
        return False
    return True


async def test_a_managed_connection_takes_the_secret_over() -> None:
    async with an_account() as account:
        hook_id = await account.add()
        connector = account.connection()
        assert not connector.hook.has_secret
        assert not signed(connector, account.desk, "")
        assert (await connector.hook.look(OURS)).is_sound
        assert connector.hook.has_secret
        assert signed(connector, account.desk, await account.secret(hook_id))


async def test_a_secret_that_was_reset_is_taken_over_once_it_is_doubted() -> None:
    async with an_account() as account:
        hook_id = await account.add()
        connector = account.connection()
        await connector.hook.look(OURS)
        await account.reset_secret(hook_id)
        account.requests()
        assert (await connector.hook.look(OURS)).is_sound
        assert account.requests() == ["GET /api/v2/webhooks"]
        assert not signed(connector, account.desk, await account.secret(hook_id))
        assert (await connector.hook.look(OURS, is_doubted=True)).is_sound
        assert signed(connector, account.desk, await account.secret(hook_id))


async def test_the_secret_of_a_webhook_that_was_made_anew_is_taken_over() -> None:
    async with an_account() as account:
        connector = account.connection()
        await ensured(connector)
        (hook,) = await account.hooks()
        await account.desk.control.delete(f"/api/v2/webhooks/{hook['id']}")
        await ensured(connector)
        (anew,) = await account.hooks()
        assert anew["id"] != hook["id"]
        assert signed(connector, account.desk, await account.secret(anew["id"]))


async def test_a_configured_secret_is_compared_and_never_replaced() -> None:
    async with an_account() as account:
        hook_id = await account.add()
        right = account.connection(webhooks=None, secret=await account.secret(hook_id))
        wrong = account.connection(webhooks=None, secret="another-secret")
        assert (await right.hook.look(OURS)).is_sound
        for _ in range(2):
            assert (await wrong.hook.look(OURS)).faults == (HookFault.WRONG_SECRET,)
        assert signed(wrong, account.desk, "another-secret")
        await account.reset_secret(hook_id)
        assert (await right.hook.look(OURS, is_doubted=True)).faults == (HookFault.WRONG_SECRET,)


async def test_the_secret_is_revealed_to_whoever_asks_for_it_and_shown_nowhere_else() -> None:
    async with an_account() as account:
        connector = account.connection()
        view = await connector.hook.look(OURS)
        assert await connector.hook.reveal(view) is None
        view = await ensured(connector)
        secret = await connector.hook.reveal(view)
        assert secret == await account.secret(str(view.hook_id))
        assert secret not in f"{connector.hook!r} {view!r}"


# --- what it costs, and who may ------------------------------------------------------------------


async def test_a_look_at_a_known_webhook_is_one_request_and_one_more_for_its_deliveries() -> None:
    async with an_account() as account:
        await account.add()
        connector = account.connection()
        await connector.hook.look(OURS)
        account.requests()
        await connector.hook.look(OURS)
        assert account.requests() == ["GET /api/v2/webhooks"]
        await connector.hook.look(OURS, within_seconds=900)
        assert account.requests() == [
            "GET /api/v2/webhooks",
            "GET /api/v2/webhooks/{id}/invocations",
        ]


async def test_a_webhook_on_the_second_page_is_found() -> None:
    async with an_account() as account:
        for number in range(101):
            await account.add(f"http://127.0.0.1:9/{number}", name="somebody's")
        await account.add()
        assert (await account.connection().hook.look(OURS)).is_sound


async def test_an_agent_may_not_look_which_is_a_fault_and_no_failure() -> None:
    async with an_account() as account:
        refusal = {"error": {"title": "Forbidden", "message": "You do not have access"}}
        fault = Fault(action="status", status=403, path="/webhooks", body=refusal, times=None)
        account.desk.sandbox.faults.arm(fault)
        connector = account.connection()
        view = await connector.hook.look(OURS)
        assert view.faults == (HookFault.UNREADABLE,)
        account.requests()
        await connector.hook.mend(view)
        assert account.requests() == []


async def test_a_refused_credential_is_no_fault_of_the_webhooks() -> None:
    async with an_account() as account:
        with pytest.raises(Unauthorised):
            await account.connection(token="wrong").hook.look(OURS)


# --- deliveries ----------------------------------------------------------------------------------


async def test_deliveries_that_are_held_back_are_seen() -> None:
    async with an_account() as account:
        await account.add(account.desk.receiver.url, name="ours too")
        await account.desk.switch(webhook_is_tripped=True)
        await account.desk.open_ticket()
        view = await account.connection().hook.look(account.desk.receiver.url, within_seconds=900)
        assert HookFault.TRIPPED in view.faults


async def test_deliveries_that_we_refuse_are_seen_and_forgiven_after_a_good_one() -> None:
    async with an_account() as account:
        url = account.desk.receiver.url
        connector = account.connection()
        account.desk.receiver.statuses.extend([404] * 20)
        ticket_id = await account.desk.open_ticket()
        for number in range(3):
            await account.desk.change(ticket_id, tags=frozenset({f"t-{number}"}))
        await account.desk.sandbox.desk.webhooks.courier.idle()
        view = await connector.hook.look(url, within_seconds=900)
        assert (HookFault.FAILING in view.faults, view.failed_status) == (True, 404)
        account.desk.clock.advance(60)
        account.desk.receiver.statuses.clear()
        await account.desk.change(ticket_id, tags=frozenset({"t-9"}))
        await account.desk.sandbox.desk.webhooks.courier.idle()
        assert HookFault.FAILING not in (await connector.hook.look(url, within_seconds=900)).faults


async def test_failures_of_long_ago_do_not_count() -> None:
    async with an_account() as account:
        account.desk.receiver.statuses.extend([500] * 20)
        ticket_id = await account.desk.open_ticket()
        for number in range(3):
            await account.desk.change(ticket_id, tags=frozenset({f"t-{number}"}))
        await account.desk.sandbox.desk.webhooks.courier.idle()
        account.desk.clock.advance(901)
        view = await account.connection().hook.look(account.desk.receiver.url, within_seconds=900)
        assert HookFault.FAILING not in view.faults


def told(*statuses: str | tuple[str, int]) -> Sequence[Invocation]:
    """Deliveries a second apart, the latest last in time and first in the list."""
    rows = []
    for second, each in enumerate(statuses):
        status, code = each if isinstance(each, tuple) else (each, None)
        at = f"2027-01-15T08:00:{second:02}Z"
        rows.append(Invocation(status=status, status_code=code, latest_completed_at=at))
    return rows[::-1]


@pytest.mark.parametrize(
    ("deliveries", "verdict"),
    [
        ((), (None, None)),
        (("success",), (None, None)),
        (("accepted", "unknown"), (None, None)),
        ((("client error", 404),) * 2, (None, None)),
        ((("client error", 404),) * 3, (HookFault.FAILING, 404)),
        ((("failed", 502), ("timeout", 0), ("server error", 503)), (HookFault.FAILING, 503)),
        ((("server error", 500),) * 9 + ("success",), (None, None)),
        (("success", ("server error", 500), "circuit broken"), (HookFault.TRIPPED, None)),
        (("throttled",), (HookFault.TRIPPED, None)),
        (("circuit broken", "success"), (None, None)),
    ],
)
def test_the_deliveries_since_the_last_good_one_decide(
    deliveries: tuple[Any, ...], verdict: tuple[HookFault | None, int | None]
) -> None:
    assert judge(told(*deliveries)) == verdict


def test_a_delivery_that_is_held_back_and_never_ended_counts_as_the_latest() -> None:
    waiting = Invocation(status="circuit broken")
    assert judge([waiting, *told("success")]) == (HookFault.TRIPPED, None)
    assert judge([Invocation(status="failed", latest_completed_at="soon")] * 9) == (None, None)
