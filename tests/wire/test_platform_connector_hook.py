"""The webhook at a platform: one `PUT` under an id of ours, held to the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.platform.connector import PlatformConnector
from connectors.platform.hook import PlatformHook
from connectors.platform.settings import Settings
from connectors.sandbox import Fault
from syncd.core.errors import OutcomeUnknown, Rejected, Unauthorised
from syncd.core.hook import HookFault, HookView
from syncd.core.model import ConnectionName
from tests.support.platform_connector import (
    SECRET,
    TOKEN,
    ContractTransport,
    FreeBudget,
    Rig,
    a_rig,
    lost_answers,
)

OURS = "http://127.0.0.1:9/webhooks/heroku"
THEIRS = "http://127.0.0.1:9/webhooks/staging"


def hook_of(
    rig: Rig, *, token: str = TOKEN, secret: str = "", webhooks: Any = "managed"
) -> PlatformHook:
    """The webhook administration of another connection to the same platform."""
    given = {"kind": "platform", "url": "http://127.0.0.1/", "token": token, "webhooks": webhooks}
    settings = Settings.model_validate(given | ({"webhook_secret": secret} if secret else {}))
    return PlatformConnector(
        ConnectionName("heroku"),
        settings,
        budget=FreeBudget(),
        clock=rig.clock,
        transport=ContractTransport(httpx.ASGITransport(app=rig.platform.sandbox)),
    ).hook


def kept(rig: Rig) -> list[Any]:
    """The platform's webhooks, secrets included."""
    return list(rig.platform.sandbox.platform.hooks.webhooks.values())


async def ensured(hook: PlatformHook, endpoint: str = OURS) -> HookView:
    await hook.mend(await hook.look(endpoint))
    return await hook.look(endpoint)


async def test_a_webhook_that_is_missing_is_made_once() -> None:
    async with a_rig() as rig:
        hook = hook_of(rig, secret=SECRET, webhooks=None)
        assert (await hook.look(OURS)).faults == (HookFault.MISSING,)
        assert (await ensured(hook)).is_sound
        (made,) = kept(rig)
        assert (made.url, made.secret, made.events) == (OURS, SECRET, None)
        before = rig.platform.sandbox.log.write_count
        assert (await ensured(hook)).is_sound
        assert rig.platform.sandbox.log.write_count == before


async def test_two_installations_with_one_token_do_not_meet() -> None:
    async with a_rig() as rig:
        hook = hook_of(rig)
        await ensured(hook)
        assert (await ensured(hook, THEIRS)).is_sound
        assert (await hook.look(OURS)).is_sound
        assert {each.url for each in kept(rig)} == {OURS, THEIRS}


async def test_one_that_tells_of_too_little_is_mended() -> None:
    async with a_rig() as rig:
        hook = hook_of(rig)
        hook_id = (await ensured(hook)).hook_id
        narrow = {"url": OURS, "secret": SECRET, "events": ["comment"]}
        await rig.platform.api.put(f"/webhooks/{hook_id}", json=narrow)
        assert (await hook.look(OURS)).faults == (HookFault.LACKS_EVENTS,)
        assert (await ensured(hook)).is_sound
        assert kept(rig)[0].events is None


async def test_without_a_configured_secret_one_is_derived_and_the_same_in_every_process() -> None:
    async with a_rig() as rig:
        first, second = hook_of(rig), hook_of(rig)
        assert first.has_secret
        await ensured(first)
        assert kept(rig)[0].secret == second.secret == await second.reveal(await second.look(OURS))
        assert hook_of(rig, token="another-token").secret != first.secret
        assert TOKEN not in first.secret
        assert first.secret not in repr(first)


async def test_a_doubted_secret_is_sent_again() -> None:
    async with a_rig() as rig:
        hook = hook_of(rig)
        hook_id = (await ensured(hook)).hook_id
        await rig.platform.api.put(f"/webhooks/{hook_id}", json={"url": OURS, "secret": SECRET})
        assert (await hook.look(OURS)).is_sound
        doubted = await hook.look(OURS, is_doubted=True)
        assert doubted.faults == (HookFault.WRONG_SECRET,)
        await hook.mend(doubted)
        assert kept(rig)[0].secret == hook.secret


async def test_without_any_secret_nothing_is_made() -> None:
    async with a_rig() as rig:
        hook = hook_of(rig, webhooks=None)
        with pytest.raises(Rejected) as caught:
            await hook.mend(await hook.look(OURS))
        assert "webhooks: managed" in caught.value.hint
        assert kept(rig) == []


async def test_a_token_without_the_scope_is_a_fault_and_no_failure() -> None:
    async with a_rig() as rig:
        register = rig.platform.sandbox.platform.register
        token = register.token_by_secret(TOKEN)
        assert token is not None
        register.tokens[token.id] = replace(token, scopes=frozenset({"tickets:read"}))
        view = await hook_of(rig).look(OURS)
        assert view.faults == (HookFault.UNREADABLE,)
        await hook_of(rig).mend(view)
        assert kept(rig) == []


async def test_a_refused_token_is_no_fault_of_the_webhooks() -> None:
    async with a_rig() as rig:
        with pytest.raises(Unauthorised):
            await hook_of(rig, token="wrong").look(OURS)


async def test_a_lost_answer_is_settled_by_doing_it_again() -> None:
    async with lost_answers() as rig:
        rig.platform.sandbox.faults.arm(Fault(action="drop_after", kind="write"))
        hook = rig.connector.hook
        with pytest.raises(OutcomeUnknown):
            await hook.mend(await hook.look(OURS))
        assert (await ensured(hook)).is_sound
        assert len(kept(rig)) == 1
