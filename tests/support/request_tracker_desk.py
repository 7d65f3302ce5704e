"""A real Request Tracker, behind a chassis of ours, as a desk under the contract suite.

Each desk has a queue of its own on the one instance of the session. People act past the chassis,
from threads: RT calls the webhook's receiver, which is in our loop, before it answers them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import pytest

from connectors.request_tracker.connector import RequestTrackerConnector
from connectors.request_tracker.settings import Settings
from connectors.sandbox import Call, Handler, Reply, Router, Sandbox, SandboxTime
from connectors.sandbox.faults import Action, Fault
from syncd.cli.demo.request_tracker import RequestTracker
from syncd.core.model import CommentId, ConnectionName, Side, TicketId
from syncd.ports import Read
from tests.contract.connector_suite import text_of
from tests.contract.desk import Delivery, Statuses, Stored, StoredComment
from tests.support.clock import FakeClock
from tests.support.platform_connector import PausingBudget
from tests.support.request_tracker import Place
from tests.support.serve import served
from tests.support.webhook_receiver import Receiver, a_receiver

T = TypeVar("T")
SECRET = "webhook-secret-of-length"
HAND_OFF = "Platform"
LATE_SECONDS = 300
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class Passage:
    """Implements `connectors.sandbox.Desk`: passes every call on to RT as it is."""

    name = "request_tracker"

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=60, trust_env=False)
        self.time = SandboxTime()
        self.router = Router(())
        self.controls = Router(())

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        del handler

        async def later() -> Reply:
            answer = await self._client.request(
                call.method,
                quote(call.path) + (f"?{urlencode(call.query)}" if call.query else ""),
                content=call.body,
                headers={k: v for k, v in call.headers.items() if k not in _HOP_BY_HOP},
            )
            headers = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP]
            return Reply(status=answer.status_code, headers=tuple(headers), body=answer.content)

        return Reply(status=202, later=later)

    async def settle(self) -> None:
        """RT has done all of it when it answers."""

    def state(self) -> dict[str, object]:
        return {}

    def reset(self) -> None:
        raise NotImplementedError("what RT holds stays")

    async def close(self) -> None:
        await self._client.aclose()


@dataclass(kw_only=True, slots=True)
class RequestTrackerTestDesk:
    """Implements `tests.contract.desk.Desk`."""

    connector: RequestTrackerConnector
    sandbox: Sandbox
    clock: FakeClock
    people: RequestTracker
    place: Place
    receiver: Receiver
    address: str
    view: str
    side: Side = Side.PLATFORM
    statuses: Statuses = field(
        default_factory=lambda: Statuses(open="open", waiting="stalled", closed="resolved")
    )
    ticket_path: str = "^/REST/2.0/(ticket|transaction|attachment)"
    guards_comments: bool = False
    gives_files_ahead: bool = False
    #: A look, the write, what became of it, and who wrote it.
    requests_per_write: int = 4

    @property
    def secrets(self) -> Sequence[str]:
        return (self.people.tokens["syncbot"], SECRET)

    async def act(self, deed: Callable[..., T], *args: Any, **named: Any) -> T:
        """One deed of a person."""
        return await asyncio.to_thread(deed, *args, **named)

    async def open_ticket(
        self, *, subject: str = "Database is slow", html: str = "<p>It is broken.</p>"
    ) -> TicketId:
        made = await self.act(
            self.people.open,
            "cust1",
            queue=self.view,
            subject=subject,
            html=html,
            requestor="cust1@platform.test",
        )
        ticket_id = TicketId(made)
        # Made in its view, it was never moved: for whom its private comments are, is known from
        # the first look on.
        await self.connector.fetch(ticket_id, Read.FIELDS)
        return ticket_id

    async def answer(
        self,
        ticket_id: TicketId,
        html: str,
        *,
        is_public: bool = True,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> CommentId:
        body: dict[str, Any] = {"Content": html, "ContentType": "text/html"}
        kind = "correspond" if is_public else "comment"
        path = f"/ticket/{ticket_id}/{kind}"
        made = await self.act(
            self.people.call, "agent1", "POST", path, json=body | _fields(status, tags)
        )
        return CommentId(made.headers["location"].rpartition("/")[2])

    async def attach(
        self, ticket_id: TicketId, html: str, files: Sequence[tuple[str, bytes]]
    ) -> None:
        await self.act(self.people.reply, "agent1", ticket_id, html, files=files)

    def arm_write(self, action: Action) -> None:
        self.sandbox.faults.arm(Fault(action=action, kind="write"))

    async def change(
        self,
        ticket_id: TicketId,
        *,
        status: str | None = None,
        tags: frozenset[str] | None = None,
    ) -> None:
        path = f"/ticket/{ticket_id}"
        await self.act(self.people.call, "agent1", "PUT", path, json=_fields(status, tags))

    async def restrict(self, ticket_id: TicketId, comment_id: CommentId) -> None:
        pytest.skip("in RT nobody can make a comment private")

    async def delete(self, ticket_id: TicketId) -> None:
        await self.change(ticket_id, status="deleted")

    def stored(self, ticket_id: TicketId) -> Stored:
        shown = self.people.ticket(ticket_id)
        parts: dict[str, list[Mapping[str, Any]]] = {}
        for part in self.people.attachments(ticket_id):
            parts.setdefault(str(part["TransactionId"]), []).append(part)
        return Stored(
            subject=shown["Subject"],
            status=shown["Status"],
            tags=frozenset(self.people.field(ticket_id, "Tags")),
            comments=tuple(
                self._comment(row, parts.get(str(row["id"]), []))
                for row in self.people.history(ticket_id)
                if row["Type"] in {"Create", "Correspond", "Comment"}
            ),
        )

    def tickets(self, external_id: str) -> tuple[TicketId, ...]:
        return ()

    async def outlast(self) -> None:
        self.clock.advance(LATE_SECONDS + 1)

    async def catch_up(self) -> None:
        """RT's feed withholds nothing."""

    def another(self, *, token: str = "", url: str = "", **more: Any) -> RequestTrackerConnector:
        return a_connector(
            url or self.address,
            self.clock,
            token=token or self.people.tokens["syncbot"],
            queues=[self.view],
            **more,
        )

    def with_a_wrong_credential(self) -> RequestTrackerConnector:
        return self.another(token="wrong-token")

    def unreachable(self) -> RequestTrackerConnector:
        # The discard port: nobody listens there.
        return self.another(url="http://127.0.0.1:9")

    async def subscribe(self) -> None:
        """Have RT call the receiver on every transaction in the queue."""
        script = _SCRIP % {
            "queue": json.dumps(self.view),
            "url": json.dumps(self.receiver.url),
            "secret": json.dumps(SECRET),
        }
        await self.act(self.place.perl, script)

    async def deliveries(self) -> Sequence[Delivery]:
        return [Delivery(headers=one.headers, body=one.body) for one in self.receiver.received]

    def _comment(self, row: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> StoredComment:
        texts = [p for p in parts if not p["Filename"] and p["ContentType"].startswith("text/")]
        return StoredComment(
            comment_id=CommentId(str(row["id"])),
            text=text_of("".join(self.people.content(p["id"]).decode() for p in texts)),
            is_public=row["Type"] != "Comment",
            files=tuple(
                (p["Filename"], self.people.content(p["id"])) for p in parts if p["Filename"]
            ),
        )


def a_connector(
    url: str, clock: FakeClock, *, token: str, queues: Sequence[str], **more: Any
) -> RequestTrackerConnector:
    """A connector to RT; `more` are further settings."""
    settings = Settings.model_validate(
        {
            "kind": "request_tracker",
            "url": url,
            "token": token,
            "queues": list(queues),
            "hand_off": {"queue": HAND_OFF},
            "tags_field": "Tags",
            "metadata": ["App", "Plan"],
            "webhook_secret": SECRET,
            "late_writes": f"{LATE_SECONDS}s",
            **more,
        }
    )
    return RequestTrackerConnector(
        ConnectionName("rt"), settings, budget=PausingBudget(clock), clock=clock
    )


@contextlib.asynccontextmanager
async def a_request_tracker_desk(
    place: Place, *, has_webhook: bool = False, **more: Any
) -> AsyncIterator[RequestTrackerTestDesk]:
    """A queue of its own, the chassis before RT, and the connector; `more` are its settings."""
    # RT's clock is the machine's.
    clock = FakeClock(datetime.now(UTC))
    people = place.people()
    queue = f"Partner-{uuid.uuid4().hex[:12]}"
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(people.close)
        await asyncio.to_thread(people.make_queue, queue)
        sandbox = Sandbox(Passage(place.direct))
        address = await stack.enter_async_context(served(sandbox))
        receiver = await stack.enter_async_context(a_receiver())
        connector = a_connector(
            address, clock, token=people.tokens["syncbot"], queues=[queue], **more
        )
        stack.push_async_callback(connector.close)
        desk = RequestTrackerTestDesk(
            connector=connector,
            sandbox=sandbox,
            clock=clock,
            people=people,
            place=place,
            receiver=receiver,
            address=address,
            view=queue,
        )
        if has_webhook:
            await desk.subscribe()
        yield desk


def _fields(status: str | None, tags: frozenset[str] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {} if status is None else {"Status": status}
    return fields if tags is None else fields | {"CustomFields": {"Tags": sorted(tags)}}


_SCRIP = """
use strict; use warnings; use RT -init;
my $code = <<'CODE';
require Digest::SHA; require JSON; require LWP::UserAgent;
my $change = $self->TransactionObj;
my $body = JSON->new->canonical->utf8->encode({
    type => $change->Type, ticket => 0 + $self->TicketObj->Id, transaction => 0 + $change->Id,
});
my $at = time;
my $signature = Digest::SHA::hmac_sha256_hex("$at.$body", %(secret)s);
LWP::UserAgent->new(timeout => 2)->post(%(url)s, 'Content-Type' => 'application/json',
    'X-Syncd-Timestamp' => $at, 'X-Syncd-Signature' => "v1=$signature", Content => $body);
return 1;
CODE
my ($ok, $said) = RT::Scrip->new(RT->SystemUser)->Create(
    Queue => %(queue)s, Description => 'test', ScripCondition => 'On Transaction',
    ScripAction => 'User Defined', Template => 'Blank',
    CustomPrepareCode => 'return 1;', CustomCommitCode => $code,
);
die "$said\\n" unless $ok;
"""
