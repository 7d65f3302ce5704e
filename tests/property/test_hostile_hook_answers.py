"""Desks that spoil their answers about webhooks and uploads: a value or one of our errors, a write
that landed is never taken for refused, and with proper answers all is well again, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from hypothesis import example, given, settings

from connectors.platform.connector import PlatformConnector
from connectors.platform.settings import Settings as PlatformSettings
from syncd.attachments import Attachments
from syncd.core.attachment import Attachment
from syncd.core.errors import OutcomeUnknown, SyncdError
from syncd.core.hook import HookFault, HookView
from syncd.core.model import ConnectionName
from syncd.hook_desk import HookDesk
from tests.support.platform_connector import TOKEN as PLATFORM_TOKEN
from tests.support.platform_connector import FreeBudget, a_rig
from tests.support.spoiling import OFTEN, SEEDS, Spoiling, must_be_ours
from tests.support.zendesk_desk import TOKEN, a_connector, a_zendesk_desk

OURS = "http://127.0.0.1:9/webhooks/ours"
EXAMPLES = settings(max_examples=30, deadline=None)
WELL = HookView(endpoint=OURS)


async def looked(hook: HookDesk, *, is_doubted: bool = False) -> HookView | None:
    try:
        return await hook.look(OURS, is_doubted=is_doubted, within_seconds=3600)
    except SyncdError as error:
        must_be_ours(error)
        return None


async def mended(hook: HookDesk, view: HookView) -> SyncdError | None:
    try:
        await hook.mend(view)
    except SyncdError as error:
        return must_be_ours(error)
    return None


async def revealed(hook: HookDesk, view: HookView) -> None:
    try:
        secret = await hook.reveal(view)
    except SyncdError as error:
        must_be_ours(error)
    else:
        assert secret is None or isinstance(secret, str)


async def play(hook: HookDesk, line: Spoiling, often: float) -> SyncdError | None:
    """What came of making a webhook whose answers are spoilt; afterwards there is one, and well."""
    missing = HookView(endpoint=OURS, faults=(HookFault.MISSING,))
    failure = await mended(hook, missing)
    for is_doubted in (False, True):
        view = await looked(hook, is_doubted=is_doubted)
        await revealed(hook, view or WELL)
    line.often = 0.0
    view = await looked(hook, is_doubted=True)
    assert view is not None
    assert HookFault.MISSING not in view.faults
    assert HookFault.DOUBLED not in view.faults
    assert await mended(hook, view) is None
    assert often > 0.0 or failure is None
    return failure


async def _hook_of_zendesk(seed: int, often: float) -> None:
    async with a_zendesk_desk() as desk:
        line = Spoiling(httpx.ASGITransport(app=desk.sandbox), seed, often=often)
        connector = a_connector(
            desk.address, desk.clock, token=TOKEN, transport=line, webhooks="managed"
        )
        failure = await play(connector.hook, line, often)
        assert failure is None or isinstance(failure, OutcomeUnknown), repr(failure)
        shown = (await desk.control.get("/api/v2/webhooks")).json()["webhooks"]
        (ours,) = [hook for hook in shown if hook["endpoint"] == OURS]
        answer = await desk.control.get(f"/api/v2/webhooks/{ours['id']}/signing_secret")
        # Whatever it was told before: it believes what is really signed with.
        assert connector.hook.secret == answer.json()["signing_secret"]["secret"]
        await connector.close()


async def _hook_of_platform(seed: int, often: float) -> None:
    async with a_rig() as rig:
        line = Spoiling(httpx.ASGITransport(app=rig.platform.sandbox), seed, often=often)
        given = {"kind": "platform", "url": "http://127.0.0.1/", "token": PLATFORM_TOKEN}
        connector = PlatformConnector(
            ConnectionName("heroku"),
            PlatformSettings.model_validate(given | {"webhooks": "managed"}),
            budget=FreeBudget(),
            clock=rig.clock,
            transport=line,
        )
        failure = await play(connector.hook, line, often)
        assert failure is None or isinstance(failure, OutcomeUnknown), repr(failure)
        assert len(rig.platform.sandbox.platform.hooks.webhooks) == 1
        await connector.close()


async def _pieces() -> AsyncIterator[bytes]:
    yield b"some "
    yield b"bytes"


async def uploaded(files: Attachments) -> str | SyncdError:
    file = Attachment(attachment_id="1", name="log.txt", size=10, content_type="text/plain", url="")
    try:
        return await files.upload(file, _pieces(), size=10, key="key-1")
    except SyncdError as error:
        return must_be_ours(error)


async def _upload(seed: int, often: float) -> None:
    async with a_zendesk_desk() as desk:
        line = Spoiling(httpx.ASGITransport(app=desk.sandbox), seed, often=often)
        zendesk = a_connector(desk.address, desk.clock, token=TOKEN, transport=line)
        told = await uploaded(zendesk.attachments)
        assert isinstance(told, str | OutcomeUnknown), repr(told)
        assert often > 0.0 or isinstance(told, str)
        await zendesk.close()
    async with a_rig() as rig:
        line = Spoiling(httpx.ASGITransport(app=rig.platform.sandbox), seed, often=often)
        given = {"kind": "platform", "url": "http://127.0.0.1/", "token": PLATFORM_TOKEN}
        platform = PlatformConnector(
            ConnectionName("heroku"),
            PlatformSettings.model_validate(given),
            budget=FreeBudget(),
            clock=rig.clock,
            transport=line,
        )
        told = await uploaded(platform.attachments)
        assert told == "key-1" or isinstance(told, OutcomeUnknown), repr(told)
        line.often = 0.0
        # The same key and bytes make no second one.
        assert await uploaded(platform.attachments) == "key-1"
        await platform.close()


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_zendesk_that_spoils_its_answers_about_webhooks_has_one_of_ours(
    seed: int, often: float
) -> None:
    asyncio.run(asyncio.wait_for(_hook_of_zendesk(seed, often), 20))


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_platform_that_spoils_its_answers_about_webhooks_has_one_of_ours(
    seed: int, often: float
) -> None:
    asyncio.run(asyncio.wait_for(_hook_of_platform(seed, often), 20))


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_an_upload_whose_answer_is_spoilt_may_have_come(seed: int, often: float) -> None:
    asyncio.run(asyncio.wait_for(_upload(seed, often), 20))
