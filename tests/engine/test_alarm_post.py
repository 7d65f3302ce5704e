"""One message, by apprise, to a real SMTP server: what arrives, and what cannot be smuggled in."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import pytest
from pydantic import SecretStr

from syncd.alarms.post import Post, Posted
from syncd.core.alarm_words import Written, trial
from tests.support.mail_server import MailServer, a_mail_server

MESSAGE = Written(title="[prod] acme does not answer", body="What: acme & <b>co</b>\nSince: now")
PASSWORD = "geheim-4711"


class Ear(logging.Handler):
    """Keeps what it hears."""

    def __init__(self, heard: list[logging.LogRecord]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record)


def a_post(server: MailServer, *, user: str = "", query: str = "", seconds: float = 20) -> Post:
    address = server.address(query, user=user)
    return Post({"ops": SecretStr(address)}, seconds=seconds)


async def test_a_message_arrives_as_mail_with_its_subject_and_every_line() -> None:
    async with a_mail_server() as server:
        assert await a_post(server).send("ops", MESSAGE) is Posted.SENT
        assert server.subjects == [MESSAGE.title]
        assert server.recipients == [["ops@example.com"]]
        (mail,) = server.mails
        html = mail.get_body(("html",))
        if html is not None:
            assert "<b>co</b>" not in html.get_content(), "text is not markup"
        assert "acme &" in server.text()
        assert "Since: now" in server.text()


async def test_a_hostile_name_ends_no_header_and_adds_no_recipient() -> None:
    hostile = "x\r\nBcc: thief@example.com\r\nX-Evil: 1\r\n\r\nbody \u202e"
    async with a_mail_server() as server:
        post = a_post(server)
        assert await post.send("ops", trial(hostile, name=hostile)) is Posted.SENT
        # Also where words came past the ones who make them harmless.
        raw = Written(title=f"[prod] {hostile}", body=hostile)
        await post.send("ops", raw)
        for mail, recipients in zip(server.mails, server.recipients, strict=True):
            assert recipients == ["ops@example.com"]
            assert mail["bcc"] is None
            assert mail["x-evil"] is None


async def test_a_server_with_an_account_is_logged_in_to() -> None:
    async with a_mail_server(("syncd", PASSWORD)) as server:
        post = a_post(server, user=f"syncd:{PASSWORD}@")
        assert await post.send("ops", MESSAGE) is Posted.SENT
        assert set(server.logins) == {("syncd", PASSWORD)}


@pytest.mark.parametrize("what", ["password", "refusal", "nobody", "address"])
async def test_what_was_not_taken_says_so_and_shows_no_address(
    what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    # Whoever listens to all logs of the process, as a handler of the root does.
    heard: list[logging.LogRecord] = []
    ear = Ear(heard)
    ear.addFilter(logging.Filter("apprise"))
    logging.getLogger().addHandler(ear)
    async with a_mail_server(("syncd", PASSWORD)) as server:
        server.is_refusing = what == "refusal"
        user = f"syncd:{PASSWORD}{'-wrong' if what == 'password' else ''}@"
        post = a_post(server, user=user)
        if what == "nobody":
            await server.stop()
        if what == "address":
            post = Post({"ops": SecretStr(f"nonsense://syncd:{PASSWORD}@127.0.0.1")})
        assert await post.send("ops", MESSAGE) is Posted.REFUSED
        assert server.mails == []
    logging.getLogger().removeHandler(ear)
    assert heard == []
    told = capfd.readouterr()
    assert PASSWORD not in told.out + told.err
    assert "ops@example.com" not in told.out + told.err


async def test_a_service_that_hangs_holds_up_nobody_and_costs_three_threads_at_most() -> None:
    begun = time.monotonic()
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with a_mail_server() as server:
        post = Post({"stuck": SecretStr(MailServer(port=port).address())}, seconds=0.3)
        assert {await post.send("stuck", MESSAGE) for _ in range(5)} == {Posted.SILENT}
        held = [each for each in threading.enumerate() if each.name == "alarm-stuck"]
        assert len(held) == 3
        assert all(each.daemon for each in held), "or the process would not end"
        assert await a_post(server).send("ops", MESSAGE) is Posted.SENT
    assert time.monotonic() - begun < 15
    for writer in writers:
        writer.close()
    silent.close()
    for thread in held:
        await asyncio.to_thread(thread.join, 10)
    # Once they are back, it is tried again.
    assert await post.send("stuck", MESSAGE) is Posted.REFUSED
