"""Rotated refresh tokens: kept before they are used, by one process at a time, and lost loudly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox import Fault
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.kept_tokens import TokenFile, Tokens
from connectors.zendesk.refresh import LIFE_SECONDS
from syncd.core.errors import Unauthorised
from syncd.core.model import TicketId
from syncd.ports import Read
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import ZendeskDesk, a_connector, a_zendesk_desk

FIRST = "sandbox-refresh-token"
NOBODY = TicketId("1")


@contextlib.asynccontextmanager
async def a_process(
    desk: ZendeskDesk, folder: Path, *, first: str = FIRST, **more: Any
) -> AsyncIterator[ZendeskConnector]:
    """A connector that has nothing of another one but the folder."""
    oauth = {"refresh_token": first}
    connector = a_connector(
        desk.address, desk.clock, beside=folder / "syncd.db", oauth=oauth, **more
    )
    try:
        yield connector
    finally:
        await connector.close()


async def ask(connector: ZendeskConnector) -> None:
    assert await connector.fetch(NOBODY, Read.FIELDS) is None


def renewals(desk: ZendeskDesk) -> list[int]:
    """What each request for a token was answered; the sandbox's own set-up asks for none."""
    return [e.status or 0 for e in desk.sandbox.log.since(0) if e.path == "/oauth/tokens"]


def kept(folder: Path) -> Any:
    return json.loads((folder / "syncd.db.oauth-acme").read_bytes())


@contextlib.contextmanager
def room_for(count: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what still fits is written, as on a full disk."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


class Looking(httpx.AsyncBaseTransport):
    """Notes what was on disk when each request left."""

    def __init__(self, folder: Path) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._folder = folder
        self.seen: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = self._folder / "syncd.db.oauth-acme"
        on_disk = path.read_text() if path.exists() else ""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.seen.append((request.url.path, bearer, on_disk))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_a_new_pair_is_on_disk_before_its_first_use(tmp_path: Path) -> None:
    looking = Looking(tmp_path)
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path, transport=looking) as process:
        await ask(process)
    (asked, _, noted), (_, bearer, on_disk) = looking.seen
    assert asked == "/oauth/tokens"
    assert json.loads(noted)["renewing_at"], "intent before effect"
    assert bearer
    assert json.loads(on_disk)["access_token"] == bearer
    assert json.loads(on_disk)["refresh_token"] not in {"", FIRST}
    assert FIRST not in on_disk


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    old = tmp_path / "syncd.db.oauth-acme.new"
    old.write_text("left behind by a crash")
    old.chmod(0o644)
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path) as process:
        await ask(process)
    assert stat.S_IMODE(os.stat(tmp_path / "syncd.db.oauth-acme").st_mode) == 0o600
    assert not old.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
async def test_what_root_renews_stays_the_daemons(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    os.chown(folder, 4711, 4712)
    async with a_zendesk_desk() as desk, a_process(desk, folder) as connector:
        await ask(connector)
    owners = {(file.stat().st_uid, file.stat().st_gid) for file in folder.iterdir()}
    assert owners == {(4711, 4712)}


async def test_a_later_process_goes_on_with_the_pair_that_was_kept(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk:
        for _ in range(2):
            async with a_process(desk, tmp_path) as process:
                await ask(process)
        assert renewals(desk) == [200]
        desk.clock.advance(LIFE_SECONDS)
        async with a_process(desk, tmp_path) as process:
            await ask(process)
        assert renewals(desk) == [200, 200]


async def test_201_is_as_good_as_200(tmp_path: Path) -> None:
    async with (
        a_zendesk_desk(oauth_token_status=201) as desk,
        a_process(desk, tmp_path) as process,
    ):
        await ask(process)
        assert renewals(desk) == [201]


async def test_two_processes_at_once_rotate_one_token_once(tmp_path: Path) -> None:
    async with (
        a_zendesk_desk() as desk,
        a_process(desk, tmp_path) as daemon,
        a_process(desk, tmp_path) as backfill,
    ):
        await asyncio.gather(*(ask(process) for process in (daemon, backfill) for _ in range(3)))
        assert renewals(desk) == [200]
        desk.clock.advance(LIFE_SECONDS)
        await asyncio.gather(ask(daemon), ask(backfill))
        assert renewals(desk) == [200, 200]


async def test_a_process_whose_token_another_one_rotated_away_takes_the_new_one(
    tmp_path: Path,
) -> None:
    async with (
        a_zendesk_desk() as desk,
        a_process(desk, tmp_path) as daemon,
        a_process(desk, tmp_path) as backfill,
    ):
        await ask(daemon)
        await ask(backfill)
        desk.sandbox.desk.credentials.revoke_all()
        await ask(daemon)
        await ask(backfill)
        assert renewals(desk) == [200, 200]


async def test_an_answer_lost_on_the_way_is_told_by_the_very_next_try(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path) as process:
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path="/oauth/tokens"))
        with pytest.raises(Unauthorised) as dead:
            await process.fetch(NOBODY, Read.FIELDS)
        assert renewals(desk)[1:] == [400]
        assert "cut off" in dead.value.hint
        assert "oauth.refresh_token" in dead.value.hint
        assert FIRST not in f"{dead.value} {dead.value.hint}"


async def test_a_request_that_never_arrived_costs_no_token(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path) as process:
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path="/oauth/tokens"))
        await ask(process)
        assert kept(tmp_path)["renewing_at"] is None


async def test_a_crash_between_answer_and_disk_is_explained_to_the_next_process(
    tmp_path: Path,
) -> None:
    async with a_zendesk_desk() as desk:
        async with a_process(desk, tmp_path) as process:
            await ask(process)
        desk.clock.advance(LIFE_SECONDS)
        before = (tmp_path / "syncd.db.oauth-acme").read_bytes()
        async with a_process(desk, tmp_path) as process:
            await ask(process)
        # What a process leaves that dies after the desk's answer: its note, and the old token.
        told = json.loads(before) | {"access_token": "", "renewing_at": desk.clock.time()}
        (tmp_path / "syncd.db.oauth-acme").write_text(json.dumps(told))
        async with a_process(desk, tmp_path) as process:
            with pytest.raises(Unauthorised, match="not valid any more") as dead:
                await process.fetch(NOBODY, Read.FIELDS)
        at = desk.clock.now().strftime("%Y-%m-%d %H:%M UTC")
        assert at in dead.value.hint


async def test_a_token_that_a_person_gives_anew_is_taken_before_what_was_kept(
    tmp_path: Path,
) -> None:
    async with a_zendesk_desk() as desk:
        async with a_process(desk, tmp_path) as process:
            await ask(process)
        given = kept(tmp_path)["refresh_token"]
        async with a_process(desk, tmp_path, first=given) as process:
            await ask(process)
        assert renewals(desk) == [200, 200]
        # And the old one of the configuration is not tried again by mistake.
        async with a_process(desk, tmp_path) as process:
            with pytest.raises(Unauthorised):
                await process.fetch(NOBODY, Read.FIELDS)


async def test_a_refresh_token_that_rested_too_long_is_dead(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path) as process:
        await ask(process)
        desk.clock.advance(timedelta(days=90).total_seconds())
        with pytest.raises(Unauthorised) as dead:
            await process.fetch(NOBODY, Read.FIELDS)
        assert "limited time" in dead.value.hint


async def test_a_folder_that_is_not_there_costs_no_token(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path / "missing") as process:
        with pytest.raises(Unauthorised) as refused:
            await process.fetch(NOBODY, Read.FIELDS)
        assert renewals(desk) == []
        assert "missing" in refused.value.hint


async def test_a_disk_that_takes_only_a_part_of_a_pair_keeps_the_one_before(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens")
    old = Tokens(first="a", refresh_token="old", access_token="x" * 100)
    file.write(old)
    with room_for(60), pytest.raises(OSError, match="large"):
        file.write(Tokens(first="a", refresh_token="new", access_token="y" * 100))
    assert file.read() == old


async def test_a_disk_that_fills_up_during_a_renewal_costs_no_token(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk:
        async with a_process(desk, tmp_path) as process:
            await ask(process)
            whole = (tmp_path / "syncd.db.oauth-acme").stat().st_size
            desk.clock.advance(LIFE_SECONDS)
            # The note before the request still fits, which holds no access token.
            with room_for(whole - 10), pytest.raises(Unauthorised, match="not be kept") as refused:
                await process.fetch(NOBODY, Read.FIELDS)
            assert "space" in refused.value.hint
            assert renewals(desk) == [200, 200]
            await ask(process)
            assert renewals(desk) == [200, 200]
        async with a_process(desk, tmp_path) as process:
            await ask(process)
        assert renewals(desk) == [200, 200]


async def test_a_check_names_the_end_of_the_refresh_token(tmp_path: Path) -> None:
    async with a_zendesk_desk() as desk, a_process(desk, tmp_path) as process:
        results = {result.name: result for result in await process.check()}
        ends = (desk.clock.now() + timedelta(days=89)).strftime("%Y-%m-%d")
        assert f"the refresh token ends on {ends}" in results["credential"].message
        assert "authorise it anew" in results["credential"].hint


def test_a_refresh_token_needs_a_place() -> None:
    with pytest.raises(ValueError, match="place to keep"):
        a_connector("https://acme.example", FakeClock(), oauth={"refresh_token": "r"})
