"""Where words and secrets are held, column by column and byte by byte, while they wait and after.

Every kind of text has a word of its own. What docs/security.md says of its lifetime is looked for
in each column of each table, in the raw bytes of every file beside the store, in the log, and in
what every report prints.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.plan import Plan
from syncd.core.work import PairState
from syncd.engine.work import Work
from syncd.store import SqliteStore, open_store
from tests.engine.backfilling import backfilled, miss
from tests.engine.both_desks import SECRETS, STAFF, BothDesks, both_desks
from tests.engine.sending_files import a_file, send
from tests.unit.cli.stage import Stage, a_stage

BODY = "kanarienrumpf"
SUBJECT = "kanarienbetreff"
FILE = "kanariendatei"
FILE_NAME = "kanarienname"
KINDS = (BODY, SUBJECT, FILE, FILE_NAME)
ALL_SECRETS = (*SECRETS.values(), "signing-secret")

#: Where a word may stand for as long as its pair exists.
LASTING = {
    SUBJECT: {"ticket.subject"},
    # The address by which the desk gives the file names it as well.
    FILE_NAME: {"attachment.name", "attachment.url", "attachment.source", "file_map.file"},
}
#: Where a body waits for its delivery.
WAITING = {"comment.html", "operation.payload"}
REPORTS = (
    ("status",),
    ("status", "--stale"),
    ("parked",),
    ("conflicts",),
    ("trail",),
    ("check",),
    ("export",),
    ("purge", "--dry-run"),
    ("forget", "heroku/u1004", "--dry-run"),
)


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> None:
    def soon(path: Path) -> SqliteStore:
        return open_store(path, tidy_seconds=0.02)

    monkeypatch.setattr("syncd.app.open_store", soon)


def cells(folder: Path) -> Iterator[tuple[str, str]]:
    """Each text of the store with its table and column."""
    file = sqlite3.connect(folder / "syncd.db")
    names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        found = file.execute(f"SELECT * FROM {name}")  # noqa: S608 - a name of the schema's own
        columns = [column[0] for column in found.description]
        for row in found:
            for column, value in zip(columns, row, strict=True):
                yield f"{name}.{column}", str(value)
    file.close()


def held(folder: Path) -> dict[str, set[str]]:
    """By word, the columns that hold it."""
    found: dict[str, set[str]] = defaultdict(set)
    for column, text in cells(folder):
        for word in (*KINDS, *ALL_SECRETS):
            if word in text:
                found[word].add(column)
    return found


def in_files(folder: Path, *words: str) -> set[tuple[str, str]]:
    """File and word, for each that the raw bytes hold, free pages and the log of writes too."""
    return {
        (file.name, word)
        for file in folder.iterdir()
        if file.name.startswith("syncd.db")
        for word in words
        if word.encode() in file.read_bytes() or word.encode("utf-16-le") in file.read_bytes()
    }


async def gone_from_files(folder: Path, *words: str) -> None:
    async with asyncio.timeout(10):
        while in_files(folder, *words):
            await asyncio.sleep(0.01)


async def a_day(desks: BothDesks) -> list[str]:
    """All that carries text, delivered: births, answers, private words, files, a hand-off."""
    tickets = [
        desks.open_ticket(f"<p>{BODY} zum {n}. Mal {'x' * n * 900}</p>", subject=f"{SUBJECT} {n}")
        for n in range(6)
    ]
    await desks.settle()
    for n, ticket_id in enumerate(tickets):
        desks.write(ticket_id, f"<p>{BODY} und mehr {'y' * n * 1500}</p>")
        await desks.answer(ticket_id, f"<p>{BODY} als Antwort</p>", status="pending")
        await desks.answer(ticket_id, f"<p>{BODY} unter uns</p>", public=False)
        desks.write(ticket_id, f"<p>{BODY} fürs Team</p>", who=STAFF, visibility="private")
    file = a_file(f"{FILE_NAME}.log", f"{FILE} Zeile um Zeile")
    await send(desks, Side.PARTNER, tickets[0], f"<p>{BODY} siehe hier</p>", file)
    await send(desks, Side.PLATFORM, tickets[1], f"<p>{BODY} siehe dort</p>", file)
    order = f"<p>{BODY} zu euch zurück</p><p>Reassign to Heroku</p>"
    await desks.answer(tickets[2], order, public=False)
    await desks.settle()
    return tickets


async def test_at_rest_no_body_no_file_and_no_secret_is_in_any_column_or_byte(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        await a_day(desks)
        await miss(desks)
        old = desks.open_ticket(f"<p>{BODY} von früher</p>", subject=f"{SUBJECT} früher")
        desks.write(old, f"<p>{BODY} auch von früher</p>")
        await backfilled(desks)
        await desks.settle()
        assert {pair.state for pair in await desks.pairs()} == {PairState.ACTIVE}

        found = held(tmp_path)
        assert found.keys() <= LASTING.keys()
        for word, columns in found.items():
            assert columns <= LASTING[word], word
        assert found[SUBJECT], "what is looked for would be found"
        await gone_from_files(tmp_path, BODY, FILE, *ALL_SECRETS)
    assert in_files(tmp_path, BODY, FILE, *ALL_SECRETS) == set()


async def test_while_a_desk_is_down_bodies_wait_in_two_columns_and_go_with_the_delivery(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await a_day(desks)
        desks.arm(Side.PARTNER, "drop_before", times=None)
        for ticket_id in tickets:
            desks.write(ticket_id, f"<p>{BODY} bleibt liegen</p>")
        for _ in range(4):
            await desks.round()
        assert held(tmp_path)[BODY] == WAITING
        desks.disarm()
        await desks.settle()
        assert held(tmp_path)[BODY] == set()
        await gone_from_files(tmp_path, BODY)


async def test_the_words_of_a_bug_and_of_a_refusal_are_kept_nowhere_and_printed_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        tickets = await a_day(desks)
        ordinary = Work.plan

        def buggy(self: Work, *rest: object) -> Plan:
            if self.pair.tickets[Side.PLATFORM] == tickets[3]:
                raise KeyError(f"{BODY} {SECRETS['API_TOKEN']}")
            return ordinary(self, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(Work, "plan", buggy)
        # Single words are taken for a vendor's names of errors and fields; sentences are not.
        words = f"so sagt {BODY} es"
        said = [{"description": f"Base: {words}", "error": words}]
        body = {"error": words, "description": words, "details": {words: said, "base": said}}
        path = f"/{desks.twin(tickets[4]).id}$"
        desks.arm(
            Side.PARTNER,
            "status",
            status=422,
            kind="write",
            path=path,
            body=body,
            headers=(("x-request-id", words), ("server", words)),
            times=None,
        )
        desks.arm(Side.PLATFORM, "html", kind="read", status=500, body=f"<p>{BODY}</p>")
        for ticket_id in tickets:
            desks.write(ticket_id, f"<p>{BODY} trifft es</p>", status="Open")
        await desks.answer(tickets[5], status="solved")
        await desks.settle()
        states = [pair.state for pair in await desks.pairs()]
        assert states.count(PairState.PARKED) == 2
        found = held(tmp_path)
        # A refused one waits for a person: its body is what `syncd retry` will send.
        assert found[BODY] <= WAITING
        assert not any(found[secret] for secret in ALL_SECRETS)
        log = desks.log.getvalue()
        shown = json.dumps([desks.made.health.report(), dict(desks.made.health.counts)])
    printed = await asyncio.to_thread(everything_printed, a_stage(tmp_path))
    assert "parked" in printed
    for word in (BODY, FILE, *ALL_SECRETS, "pt-0451", "as-9173"):
        assert word not in log
        assert word not in shown
        assert word not in printed


def everything_printed(stage: Stage) -> str:
    """What every report prints, in every form, with its standard error."""
    texts: list[str] = []
    for words in REPORTS:
        for form in ("table", "json", "csv"):
            result = stage.type(*words, "--format", form)
            texts.append(result.output)
    return "\n".join(texts)
