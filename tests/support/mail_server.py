"""A real SMTP server on the loopback, and what was delivered to it."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(kw_only=True)
class MailServer:
    """Takes every mail while it is up; ended, its port refuses connections until it is up again."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    #: User name and password that are asked for; nobody's where empty.
    account: tuple[str, str] = ("", "")
    port: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    #: Takes no mail while set; connections work.
    is_refusing: bool = False
    #: With it STARTTLS is offered, and nothing is taken without; see `is_smtps`.
    tls: ssl.SSLContext | None = None
    #: TLS from the first byte instead.
    is_smtps: bool = False
    #: Whether each mail came encrypted.
    are_encrypted: list[bool] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.account[0] and not session.authenticated:
            return "530 log in first"
        if self.is_refusing:
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients.append(list(envelope.rcpt_tos))
        transport = server.transport
        assert transport is not None
        self.are_encrypted.append(transport.get_extra_info("ssl_object") is not None)
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]

    def text(self, index: int = -1) -> str:
        """The plain part of a mail."""
        part = self.mails[index].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def address(self, query: str = "", *, user: str = "") -> str:
        """Where apprise sends to reach it; with `user` its account's name and password."""
        mode = "insecure" if self.tls is None else "ssl" if self.is_smtps else "starttls"
        return (
            f"mailto{'s' if self.tls else ''}://{user}127.0.0.1:{self.port}?smtp=127.0.0.1"
            f"&mode={mode}&from=syncd@example.com&to=ops@example.com{query}"
        )

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        has_account = bool(self.account[0])
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                hostname="mail.example.com",
                authenticator=self._judge if has_account else None,
                auth_require_tls=False,
                tls_context=None if self.is_smtps else self.tls,
                require_starttls=self.tls is not None and not self.is_smtps,
            ),
            "127.0.0.1",
            self.port,
            ssl=self.tls if self.is_smtps else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _judge(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        del server, session, envelope, mechanism
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        # `handled` would mean that the refusal was said already.
        return AuthResult(success=given == self.account, handled=False)


@contextlib.asynccontextmanager
async def a_mail_server(
    account: tuple[str, str] = ("", ""),
    *,
    tls: ssl.SSLContext | None = None,
    is_smtps: bool = False,
) -> AsyncIterator[MailServer]:
    server = MailServer(account=account, tls=tls, is_smtps=is_smtps)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
