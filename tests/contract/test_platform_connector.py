"""The platform's connector keeps the contract of every connector, on its sandbox over loopback."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from connectors.platform.connector import PlatformConnector
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox
from connectors.sandbox import Fault, Sandbox, SandboxTime
from connectors.sandbox.faults import Action
from syncd.core.model import CommentId, Side, TicketId
from tests.contract.connector_faults import ConnectorFaults
from tests.contract.connector_files import ConnectorFiles
from tests.contract.connector_suite import ConnectorSuite, text_of
from tests.contract.desk import Delivery, Desk, Statuses, Stored, StoredComment
from tests.support.clock import FakeClock
from tests.support.platform_connector import SECRET, TOKEN, PausingBudget, a_connector
from tests.support.platform_desk import VIEW, Json, a_client
from tests.support.serve import served
from tests.support.webhook_receiver import Receiver, a_receiver


class DeskOfThePlatform:
    """The sandbox on loopback, with a webhook to a receiver."""

    side = Side.PLATFORM
    statuses = Statuses(open="Open", waiting="With customer", closed="Closed")
    view = VIEW
    ticket_path = "^/tickets"
    guards_comments = True
    gives_files_ahead = True
    requests_per_write = 1
    secrets = (TOKEN, SECRET)

    def __init__(
        self,
        *,
        sandbox: PlatformSandbox,
        control: httpx.AsyncClient,
        receiver: Receiver,
        address: str,
        clock: FakeClock,
    ) -> None:
        self.platform = sandbox
        self.clock = clock
        self._control = control
        self._receiver = receiver
        self._address = address
        self.connector = self.another()

    @property
    def sandbox(self) -> Sandbox:
        return self.platform

    def another(self, *, token: str = TOKEN, url: str = "") -> PlatformConnector:
        return a_connector(
            httpx.AsyncHTTPTransport(),
            clock=self.clock,
            budget=PausingBudget(self.clock),
            url=url or self._address,
            token=token,
        )

    async def open_ticket(
        self, *, subject: str = "Database is slow", html: str = "<p>It is broken.</p>"
    ) -> TicketId:
        done = await self._act("Mia Keller", "open", subject=subject, body_html=html, view=VIEW)
        return TicketId(done["ticket"]["id"])

    async def answer(
        self,
        ticket_id: TicketId,
        html: str,
        *,
        is_public: bool = True,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> CommentId:
        comment = {"body_html": html, "visibility": "public" if is_public else "private"}
        done = await self._change(ticket_id, status=status, tags=tags, comment=comment)
        return CommentId(done["update"]["id"])

    async def attach(
        self, ticket_id: TicketId, html: str, files: Sequence[tuple[str, bytes]]
    ) -> None:
        given = [{"name": n, "base64": base64.b64encode(c).decode()} for n, c in files]
        comment = {"body_html": html, "visibility": "public", "attachments": given}
        await self._change(ticket_id, status=None, tags=None, comment=comment)

    def arm_write(self, action: Action) -> None:
        self.platform.faults.arm(Fault(action=action, kind="write"))

    async def change(
        self,
        ticket_id: TicketId,
        *,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> None:
        await self._change(ticket_id, status=status, tags=tags)

    async def restrict(self, ticket_id: TicketId, comment_id: CommentId) -> None:
        pytest.skip("on the platform nobody can make a comment private")

    async def delete(self, ticket_id: TicketId) -> None:
        await self._act("Hana Sato", "delete", ticket_id=ticket_id)

    def stored(self, ticket_id: TicketId) -> Stored:
        ticket = self.platform.platform.register.tickets[ticket_id]
        return Stored(
            subject=ticket.subject,
            status=ticket.status,
            tags=frozenset(ticket.tags),
            comments=tuple(
                StoredComment(
                    comment_id=CommentId(update.id),
                    text=text_of(update.comment.body_html),
                    is_public=update.comment.visibility == "public",
                    files=tuple((f.name, f.content or b"") for f in update.comment.attachments),
                )
                for update in ticket.updates
                if update.comment is not None
            ),
        )

    def tickets(self, external_id: str) -> tuple[TicketId, ...]:
        return ()

    async def outlast(self) -> None:
        self.clock.advance(3)

    async def catch_up(self) -> None:
        """The platform's feed withholds nothing."""

    def with_a_wrong_credential(self) -> PlatformConnector:
        return self.another(token="wrong-token")

    def unreachable(self) -> PlatformConnector:
        # The discard port: nobody listens there.
        return self.another(url="http://127.0.0.1:9")

    async def deliveries(self) -> Sequence[Delivery]:
        await self.platform.platform.courier.first_attempts()
        return [Delivery(headers=one.headers, body=one.body) for one in self._receiver.received]

    async def _change(
        self,
        ticket_id: TicketId,
        *,
        status: str | None,
        tags: frozenset[str] | None,
        comment: Json | None = None,
    ) -> Json:
        members: dict[str, Any] = {"ticket_id": ticket_id}
        if comment is not None:
            members["comment"] = comment
        if status is not None:
            members["status"] = status
        if tags is not None:
            present = self.stored(ticket_id).tags
            members |= {"add_tags": [*tags - present], "remove_tags": [*present - tags]}
        return await self._act("Pat Acme", "update", **members)

    async def _act(self, who: str, do: str, **members: Any) -> Json:
        answer = await self._control.post("/_sandbox/act", json={"as": who, "do": do, **members})
        assert answer.status_code == 200, answer.text
        done: Json = answer.json()
        return done


class TestPlatformConnector(ConnectorSuite, ConnectorFaults, ConnectorFiles):
    @pytest.fixture
    async def desk(self) -> AsyncIterator[Desk]:
        async with contextlib.AsyncExitStack() as stack:
            clock = FakeClock()
            time = SandboxTime(now=clock.time, sleep=clock.sleep)
            sandbox = PlatformSandbox(PlatformDesk(time=time, quota=100_000))
            address = await stack.enter_async_context(served(sandbox))
            control = await stack.enter_async_context(a_client(sandbox, TOKEN))
            receiver = await stack.enter_async_context(a_receiver())
            hook = {"url": receiver.url, "secret": SECRET}
            (await control.put("/webhooks/syncd", json=hook)).raise_for_status()
            desk = DeskOfThePlatform(
                sandbox=sandbox, control=control, receiver=receiver, address=address, clock=clock
            )
            stack.push_async_callback(desk.connector.close)
            yield desk
