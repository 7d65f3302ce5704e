"""Comments that are redacted or made private on Zendesk: the platform follows or is told, once."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import AGENT, BothDesks, both_desks, both_know
from tests.engine.lineages import a_pair, said_at_platform

SECRET = "hunter2"
TOLD = "was redacted at"
PRIVATE = "was made private at"


async def redacts(desks: BothDesks, ticket_id: str, words: str, text: str = SECRET) -> None:
    """An agent takes a text out of the comment that holds the words."""
    comment = desks.heard(ticket_id, words)[0]
    deed = {"as": AGENT, "do": "redact", "ticket_id": desks.twin(ticket_id).id}
    await desks.agent_does("acme", deed | {"comment_id": comment.id, "text": text})


async def makes_private(desks: BothDesks, ticket_id: str, words: str) -> None:
    """An agent takes the comment that holds the words out of the customer's sight."""
    comment = desks.heard(ticket_id, words)[0]
    deed = {"as": AGENT, "do": "make_private", "ticket_id": desks.twin(ticket_id).id}
    await desks.agent_does("acme", deed | {"comment_id": comment.id})


def keep_off(desks: BothDesks) -> None:
    """The platform takes nothing for now, and says that it took nothing."""
    headers = (("retry-after", "5"),)
    desks.arm(Side.PLATFORM, "status", status=429, headers=headers, times=None)


def in_the_store(tmp_path: Path, words: str) -> bool:
    """Whether the words stand anywhere in the store's file."""
    with sqlite3.connect(tmp_path / "syncd.db") as connection:
        return any(words in line for line in connection.iterdump())


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_comment_redacted_after_it_travelled_is_told_once_and_not_quoted(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        await desks.settle()
        await redacts(desks, ticket_id, "das Kennwort")
        await desks.settle()
        (told,) = desks.read(ticket_id, TOLD)
        assert told.comment is not None
        assert told.comment.visibility == "private"
        assert SECRET not in told.comment.body_html
        assert "Alice Agent" in told.comment.body_html
        await redacts(desks, ticket_id, "das Kennwort", "Kennwort")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, TOLD) == 1
        both_know(desks, ticket_id, "das")
        assert not in_the_store(tmp_path, SECRET)


async def test_a_comment_redacted_before_it_travelled_travels_redacted_and_untold(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        await redacts(desks, ticket_id, "das Kennwort")
        await desks.settle()
        (copy,) = desks.read(ticket_id, "das Kennwort")
        assert copy.comment is not None
        assert SECRET not in copy.comment.body_html
        assert "▇" in copy.comment.body_html
        assert said_at_platform(desks, ticket_id, TOLD) == 0


async def test_a_body_that_waits_for_the_platform_is_redacted_where_it_waits(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        keep_off(desks)
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        await desks.round()
        assert in_the_store(tmp_path, SECRET)
        await redacts(desks, ticket_id, "das Kennwort")
        await desks.round()
        assert not in_the_store(tmp_path, SECRET)
        desks.disarm()
        await desks.settle()
        (copy,) = desks.read(ticket_id, "das Kennwort")
        assert copy.comment is not None
        assert SECRET not in copy.comment.body_html


async def test_a_comment_redacted_while_its_copy_was_on_its_way_is_told(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PLATFORM, "drop_after", kind="write")
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        while not desks.events("op.unknown"):
            await desks.round()
        await redacts(desks, ticket_id, "das Kennwort")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, "das Kennwort") == 1
        assert said_at_platform(desks, ticket_id, TOLD) == 1
        assert not in_the_store(tmp_path, SECRET)


@pytest.mark.parametrize("deed", [redacts, makes_private])
async def test_a_lost_copy_that_has_not_landed_is_not_repeated_as_it_was(
    tmp_path: Path, deed: Callable[[BothDesks, str, str], Awaitable[None]]
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PLATFORM, "drop_before", kind="write")
        desks.arm(Side.PLATFORM, "status", kind="read", path="/updates", status=503, times=None)
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        while not desks.events("op.unknown"):
            await desks.round()
        await deed(desks, ticket_id, "das Kennwort")
        await desks.round()
        desks.disarm()
        await desks.settle()
        (copy,) = desks.read(ticket_id, "das Kennwort")
        assert copy.comment is not None
        is_private = copy.comment.visibility == "private"
        assert is_private if deed is makes_private else SECRET not in copy.comment.body_html
        assert said_at_platform(desks, ticket_id, TOLD) == 0
        assert said_at_platform(desks, ticket_id, PRIVATE) == 0
        assert len(desks.events("op.replaced")) == 1
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_a_redacted_file_is_told_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        upload = await desks.controls["acme"].post(
            "/api/v2/uploads",
            params={"filename": "kennwort.txt"},
            content=b"hunter2",
            headers={"content-type": "text/plain"},
        )
        token = upload.json()["upload"]["token"]
        comment = {"html": "<p>siehe Anhang</p>", "public": True, "uploads": [token]}
        deed = {"as": AGENT, "ticket_id": desks.twin(ticket_id).id}
        await desks.agent_does("acme", deed | {"comment": comment})
        await desks.settle()
        (written,) = desks.heard(ticket_id, "siehe Anhang")
        number = written.attachments[0].id
        deed |= {"do": "redact", "comment_id": written.id, "attachment_id": number}
        await desks.agent_does("acme", deed)
        await desks.settle()
        assert said_at_platform(desks, ticket_id, TOLD) == 1
        run = await desks.made.store.load_run((await desks.pair(ticket_id)).pair_id)
        assert run is not None
        snapshot = run.snapshots[Side.PARTNER]
        assert snapshot is not None
        held = [file.name for comment in snapshot.comments for file in comment.attachments]
        assert held == ["redacted.txt"]


@pytest.mark.parametrize("loss", ["drop_before", "drop_after", "503 before", "503 after"])
@pytest.mark.parametrize("told", [TOLD, PRIVATE])
async def test_a_lost_answer_to_the_note_tells_the_platform_once(
    tmp_path: Path, told: str, loss: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, f"<p>das Kennwort: {SECRET}</p>")
        await desks.settle()
        action = "status" if loss.startswith("503") else loss
        is_applied = loss == "503 after"
        desks.arm(Side.PLATFORM, action, kind="write", status=503, is_applied=is_applied)
        await (redacts if told == TOLD else makes_private)(desks, ticket_id, "das Kennwort")
        await desks.settle()
        assert len(desks.events("op.unknown")) == 1
        assert said_at_platform(desks, ticket_id, told) == 1
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_comment_made_private_before_it_travelled_travels_privately(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = await a_pair(desks)
        keep_off(desks)
        await desks.answer(ticket_id, "<p>doch nicht für den Kunden</p>")
        await desks.round()
        await makes_private(desks, ticket_id, "doch nicht")
        await desks.round()
        desks.disarm()
        await desks.settle()
        (copy,) = desks.read(ticket_id, "doch nicht")
        assert copy.comment is not None
        assert copy.comment.visibility == "private"
        assert said_at_platform(desks, ticket_id, PRIVATE) == 0


async def test_a_comment_made_private_afterwards_is_told_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>doch nicht für den Kunden</p>")
        await desks.settle()
        await makes_private(desks, ticket_id, "doch nicht")
        await desks.settle()
        (told,) = desks.read(ticket_id, PRIVATE)
        assert told.comment is not None
        assert told.comment.visibility == "private"
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, PRIVATE) == 1
