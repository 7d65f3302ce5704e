"""A message by encrypted mail to a real SMTP server: a server nobody vouches for gets nothing."""

from __future__ import annotations

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from syncd.alarms.post import Post, Posted
from syncd.core.alarm_words import Written
from tests.support.certificates import a_certificate, an_authority
from tests.support.mail_server import MailServer, a_mail_server

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl program")

MESSAGE = Written(title="[prod] acme does not answer", body="Since: now")
ACCOUNT = ("syncd", "geheim-4711")
USER = "syncd:geheim-4711@"
WAYS = pytest.mark.parametrize("is_smtps", [False, True], ids=["starttls", "smtps"])


def a_day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y%m%d%H%M%SZ}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an authority whom nobody believes yet."""
    folder = tmp_path_factory.mktemp("authority")
    an_authority(folder)
    return folder


@pytest.fixture
def believed(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same authority, believed by this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    return authority


def a_server_side(folder: Path, *, days: int = 30, names: str = "IP:127.0.0.1") -> ssl.SSLContext:
    made = a_certificate(folder, begins=a_day(-60), ends=a_day(days), names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context


async def send(server: MailServer, *, address: str = "") -> Posted:
    route = SecretStr(address or server.address(user=USER))
    return await Post({"ops": route}, seconds=20).send("ops", MESSAGE)


def nothing_was_said(server: MailServer) -> bool:
    return server.mails == [] and server.logins == []


@WAYS
async def test_a_mail_goes_encrypted_and_so_does_the_password(
    believed: Path, is_smtps: bool
) -> None:
    tls = a_server_side(believed)
    async with a_mail_server(ACCOUNT, tls=tls, is_smtps=is_smtps) as server:
        assert await send(server) is Posted.SENT
        assert server.subjects == [MESSAGE.title]
        assert server.are_encrypted == [True]
        assert set(server.logins) == {ACCOUNT}


@WAYS
async def test_a_server_whom_nobody_vouches_for_gets_neither_mail_nor_password(
    authority: Path, is_smtps: bool
) -> None:
    tls = a_server_side(authority)
    async with a_mail_server(ACCOUNT, tls=tls, is_smtps=is_smtps) as server:
        assert await send(server) is Posted.REFUSED
        assert nothing_was_said(server)


@WAYS
@pytest.mark.parametrize(
    ("days", "names"),
    [(30, "DNS:mail.example.com"), (-1, "IP:127.0.0.1")],
    ids=["another name", "past its end"],
)
async def test_a_certificate_that_is_not_good_for_it_gets_neither(
    believed: Path, is_smtps: bool, days: int, names: str
) -> None:
    tls = a_server_side(believed, days=days, names=names)
    async with a_mail_server(ACCOUNT, tls=tls, is_smtps=is_smtps) as server:
        assert await send(server) is Posted.REFUSED
        assert nothing_was_said(server)


async def test_a_server_that_offers_no_encryption_any_more_gets_neither() -> None:
    """As whoever sits between would have it look."""
    async with a_mail_server(ACCOUNT) as server:
        encrypted = server.address(user=USER).replace("mailto://", "mailtos://")
        encrypted = encrypted.replace("mode=insecure", "mode=starttls")
        assert await send(server, address=encrypted) is Posted.REFUSED
        assert nothing_was_said(server)


async def test_an_address_in_clear_is_refused_by_a_server_that_wants_encryption(
    believed: Path,
) -> None:
    async with a_mail_server(tls=a_server_side(believed)) as server:
        plain = server.address().replace("mailtos://", "mailto://")
        plain = plain.replace("mode=starttls", "mode=insecure")
        assert await send(server, address=plain) is Posted.REFUSED
        assert server.mails == []
