"""The Zendesk connector on its sandbox over loopback HTTP, as a desk under the contract suite."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connectors.http import OnRequest
from connectors.sandbox import Fault, SandboxTime
from connectors.sandbox.faults import Action
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.customers import AddressOf
from connectors.zendesk.feed import Wanted
from connectors.zendesk.open_tickets import OpenTickets
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings
from connectors.zendesk.settings import Settings
from syncd.core.model import CommentId, ConnectionName, Side, TicketId
from syncd.engine.budget import BudgetLedger
from tests.contract.desk import Delivery, Statuses, Stored, StoredComment
from tests.support.clock import FakeClock
from tests.support.serve import served
from tests.support.webhook_receiver import Receiver, a_receiver
from tests.support.zendesk_oas import CheckedTransport

TOKEN = "sandbox-api-token"
CLIENT_SECRET = "sandbox-client-secret"
AGENT = "alice@acme.test"
CUSTOMER = "carl@globex.test"
Json = dict[str, Any]


@dataclass(kw_only=True, slots=True)
class ZendeskDesk:
    """Implements `tests.contract.desk.Desk`."""

    connector: ZendeskConnector
    sandbox: ZendeskSandbox
    clock: FakeClock
    control: httpx.AsyncClient
    receiver: Receiver
    address: str
    secret: str
    side: Side = Side.PARTNER
    view: str | None = None
    ticket_path: str = "/api/v2/(imports/)?tickets"
    guards_comments: bool = True
    gives_files_ahead: bool = True
    requests_per_write: int = 1
    statuses: Statuses = field(
        default_factory=lambda: Statuses(open="open", waiting="pending", closed="solved")
    )

    @property
    def secrets(self) -> Sequence[str]:
        return (TOKEN, CLIENT_SECRET, self.secret, "sandbox-access-")

    async def act(self, **deed: Any) -> Json:
        """One deed of a person; the ticket as the desk holds it."""
        answer = await self.control.post("/_sandbox/act", json=deed)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()["ticket"]
        return shown

    async def open_ticket(
        self, *, subject: str = "Database is slow", html: str = "<p>It is broken.</p>"
    ) -> TicketId:
        shown = await self.act(
            **{"as": CUSTOMER, "do": "create", "subject": subject, "comment": {"html": html}}
        )
        return TicketId(str(shown["id"]))

    async def answer(
        self,
        ticket_id: TicketId,
        html: str,
        *,
        is_public: bool = True,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> CommentId:
        deed = _fields(status, tags) | {"comment": {"html": html, "public": is_public}}
        shown = await self.act(**{"as": AGENT, "ticket_id": int(ticket_id)} | deed)
        return CommentId(str(shown["comments"][-1]["id"]))

    async def attach(
        self, ticket_id: TicketId, html: str, files: Sequence[tuple[str, bytes]]
    ) -> None:
        given = [{"name": n, "base64": base64.b64encode(c).decode()} for n, c in files]
        comment = {"html": html, "public": True, "files": given}
        await self.act(**{"as": AGENT, "ticket_id": int(ticket_id), "comment": comment})

    def arm_write(self, action: Action) -> None:
        self.sandbox.faults.arm(Fault(action=action, kind="write"))

    async def change(
        self,
        ticket_id: TicketId,
        *,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> None:
        await self.act(**{"as": AGENT, "ticket_id": int(ticket_id)} | _fields(status, tags))

    async def restrict(self, ticket_id: TicketId, comment_id: CommentId) -> None:
        deed = {"do": "make_private", "comment_id": int(comment_id)}
        await self.act(**{"as": AGENT, "ticket_id": int(ticket_id)} | deed)

    async def delete(self, ticket_id: TicketId) -> None:
        await self.act(**{"as": AGENT, "ticket_id": int(ticket_id), "do": "delete"})

    def stored(self, ticket_id: TicketId) -> Stored:
        ticket = self.sandbox.desk.account.tickets[int(ticket_id)]
        return Stored(
            subject=ticket.values["subject"],
            status=ticket.status,
            tags=frozenset(ticket.tags),
            comments=tuple(
                StoredComment(
                    comment_id=CommentId(str(comment.id)),
                    text=comment.body,
                    is_public=comment.is_public,
                    files=tuple((f.file_name, f.content) for f in comment.attachments),
                )
                for comment in ticket.comments
            ),
        )

    def tickets(self, external_id: str) -> tuple[TicketId, ...]:
        return tuple(
            TicketId(str(ticket.id))
            for ticket in self.sandbox.desk.account.tickets.values()
            if ticket.values["external_id"] == external_id
        )

    async def outlast(self) -> None:
        self.clock.advance(3)

    async def catch_up(self) -> None:
        self.clock.advance(70)

    def with_a_wrong_credential(self) -> ZendeskConnector:
        return a_connector(self.address, self.clock, token="wrong")

    def unreachable(self) -> ZendeskConnector:
        # Port 9 is "discard": nobody listens there on loopback.
        return a_connector("http://127.0.0.1:9", self.clock)

    async def deliveries(self) -> Sequence[Delivery]:
        await self.sandbox.desk.webhooks.courier.first_attempts()
        return [Delivery(headers=r.headers, body=r.body) for r in self.receiver.received]

    async def switch(self, **settings: object) -> None:
        """Change the account's awkwardness."""
        (await self.control.post("/_sandbox/settings", json=settings)).raise_for_status()


def a_connector(
    address: str,
    clock: FakeClock,
    *,
    token: str | None = None,
    secret: str = "",
    wanted: Wanted | None = None,
    open_tickets: OpenTickets | None = None,
    user: str = "syncd@acme.test",
    transport: httpx.AsyncBaseTransport | None = None,
    on_request: OnRequest | None = None,
    share: float = 1.0,
    beside: Path | None = None,
    kind: type[ZendeskConnector] = ZendeskConnector,
    address_of: AddressOf | None = None,
    **more: Any,
) -> ZendeskConnector:
    """A connector by OAuth, or by API token where one is given; `more` are further settings."""
    oauth: Json = {"client_id": "syncd", "client_secret": CLIENT_SECRET}
    credential: Json = (
        {"api_token": {"email": user, "token": token}}
        if token is not None
        else {"oauth": oauth | more.pop("oauth", {})}
    )
    settings = Settings.model_validate(
        {
            "kind": "zendesk",
            "url": address,
            "budget": {"share": f"{share:.0%}", "per_minute": 100_000},
            "exports_per_minute": 30,
            **({"webhook_secret": secret} if secret else {}),
            **credential,
            **more,
        }
    )
    return kind(
        ConnectionName("acme"),
        settings,
        budget=BudgetLedger(settings.budget, clock=clock),
        clock=clock,
        wanted=wanted,
        open_tickets=open_tickets,
        transport=transport,
        on_request=on_request,
        beside=beside,
        address_of=address_of,
    )


@contextlib.asynccontextmanager
async def a_zendesk_desk(
    *,
    token: str | None = None,
    wanted: Wanted | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    connection: Json | None = None,
    admin: str = "syncd@acme.test",
    **settings: Any,
) -> AsyncIterator[ZendeskDesk]:
    """A fresh account whose quotas are wide unless they are the subject, with one webhook.

    `connection` are further keys of the connection, `settings` the account's own.
    """
    wide = {"requests_per_minute": 100_000, "ticket_updates_per_minute": 100_000}
    wide |= {"updates_per_ticket": 100_000, "exports_per_minute": 100_000}
    clock = FakeClock()
    sandbox = ZendeskSandbox(
        ZendeskSettings(**(wide | settings)), time=SandboxTime(now=clock.time, sleep=clock.sleep)
    )
    async with contextlib.AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(a_receiver())
        address = await stack.enter_async_context(served(sandbox))
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=address, auth=(f"{admin}/token", TOKEN))
        )
        secret = await _subscribe(control, receiver)
        connector = a_connector(
            address,
            clock,
            token=token,
            secret=secret,
            wanted=wanted,
            # Whatever is tested, every request is held against Zendesk's own file.
            transport=transport or CheckedTransport(),
            **(connection or {}),
        )
        stack.push_async_callback(connector.close)
        yield ZendeskDesk(
            connector=connector,
            sandbox=sandbox,
            clock=clock,
            control=control,
            receiver=receiver,
            address=address,
            secret=secret,
        )


async def _subscribe(control: httpx.AsyncClient, receiver: Receiver) -> str:
    kinds = ("created", "status_changed", "comment_added", "tags_changed", "comment_made_private")
    wanted = {
        "name": "syncd",
        "endpoint": receiver.url,
        "status": "active",
        "subscriptions": [f"zen:event-type:ticket.{kind}" for kind in kinds],
    }
    made = await control.post("/api/v2/webhooks", content=json.dumps({"webhook": wanted}))
    assert made.status_code == 201, made.text
    hook = made.json()["webhook"]["id"]
    answer = await control.get(f"/api/v2/webhooks/{hook}/signing_secret")
    return str(answer.json()["signing_secret"]["secret"])


def _fields(status: str | None, tags: frozenset[str] | None) -> Json:
    fields: Json = {} if status is None else {"status": status}
    return fields if tags is None else fields | {"tags": sorted(tags)}
