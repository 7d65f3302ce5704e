"""A Request Tracker of a few lines that answers as it is told, for answers that no real one gives
when it is asked to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.request_tracker.connector import RequestTrackerConnector
from connectors.request_tracker.settings import Settings
from syncd.core.model import ConnectionName
from tests.support.clock import START, FakeClock
from tests.support.platform_connector import FreeBudget

Json = dict[str, Any]
QUEUE = "Partner-Acme"
AT = START.replace(microsecond=0)
DATE = AT.strftime("%a, %d %b %Y %H:%M:%S GMT")


@dataclass(kw_only=True, slots=True)
class ScriptedRt:
    """Answers by method and first part of the path below /REST/2.0, the last one for ever."""

    answers: dict[str, list[httpx.Response]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def on(self, what: str, *answers: httpx.Response) -> None:
        """From now on `GET ticket` (say) is answered so, one after the other."""
        self.answers[what] = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        waiting = self.answers[f"{request.method} {request.url.path.split('/')[3]}"]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        # Not read yet, as from a line.
        stream = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)

    def counts(self, what: str) -> int:
        method, _, part = what.partition(" ")
        return sum(r.method == method and r.url.path.split("/")[3] == part for r in self.requests)


def ok(body: object, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"date": DATE, **headers})


def listing(*items: Json) -> httpx.Response:
    return ok({"items": list(items), "total": None, "count": len(items)})


def refusal(status: int, message: str) -> httpx.Response:
    return ok({"message": message}, status)


def ticket(version: int = 7, **changed: Any) -> httpx.Response:
    return ok(a_ticket(**changed), etag=f'"{version}"')


def a_ticket(**changed: Any) -> Json:
    return {
        "id": 1,
        "Subject": "Slow",
        "Status": "open",
        "Queue": {"id": "3", "Name": QUEUE, "type": "queue"},
        "Owner": {"id": "Nobody", "type": "user"},
        "Creator": {"id": "mia", "type": "user"},
        "Requestor": [{"id": "mia", "type": "user"}],
        "Created": _text(AT),
        "LastUpdated": _text(AT),
        "CustomFields": [
            {"id": "2", "name": "Tags", "values": ["vip"], "type": "customfield"},
        ],
    } | changed


def a_row(number: int, kind: str = "Correspond", *, stamp: str = "", **changed: Any) -> Json:
    stamps = {"id": "4", "name": "SyncOrigin", "values": [stamp] if stamp else []}
    return {
        "id": str(number),
        "Type": kind,
        "Creator": {"id": "pat", "RealName": "Pat Agent", "type": "user"},
        "Created": _text(AT),
        "ObjectId": "1",
        "Field": "",
        "OldValue": "",
        "NewValue": "",
        "CustomFields": [stamps],
    } | changed


def a_text(number: int, transaction: int, content: str = "<p>Hi</p>", **changed: Any) -> Json:
    return {
        "id": str(number),
        "TransactionId": str(transaction),
        "ContentType": "text/html",
        "Filename": "",
        "ContentLength": str(len(content)),
        "Content": content,
    } | changed


def a_script() -> ScriptedRt:
    """One in which all is well, and ticket 1 has one message, number 7."""
    rt = ScriptedRt()
    rt.on("GET rt", ok({"Version": "5.0.3+dfsg"}))
    field = {"id": "4", "name": "SyncOrigin"}
    tags = {"id": "2", "name": "Tags"}
    queue = {"id": "3", "Name": QUEUE}
    fields = {"TicketTransactionCustomFields": [field], "TicketCustomFields": [tags]}
    rt.on("GET queue", ok(queue | fields))
    user = {"Name": "pat", "RealName": "Pat Agent", "Privileged": 1}
    rt.on("GET user", ok(user | {"_hyperlinks": [{"ref": "self", "id": 41}]}))
    rt.on("GET ticket", ticket())
    rt.on("GET tickets", listing(a_ticket()))
    rt.on("GET transactions", listing(a_row(7, "Create")))
    rt.on("GET attachments", listing(a_text(1, 7)))
    return rt


Answering = (
    Callable[[httpx.Request], httpx.Response]
    | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
)


def scripted(
    rt: Answering | httpx.AsyncBaseTransport, clock: FakeClock, **more: Any
) -> RequestTrackerConnector:
    """A connector to it; `more` are further settings."""
    settings = Settings.model_validate(
        {
            "kind": "request_tracker",
            "url": "http://127.0.0.1:9",
            "token": "1-41-secret",
            "queues": [QUEUE],
            "hand_off": {"owner": "front-desk"},
            "tags_field": "Tags",
            **more,
        }
    )
    return RequestTrackerConnector(
        ConnectionName("rt"),
        settings,
        budget=FreeBudget(),
        clock=clock,
        transport=rt if isinstance(rt, httpx.AsyncBaseTransport) else httpx.MockTransport(rt),
    )


def _text(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def body_of(request: httpx.Request) -> Json:
    """What a request said."""
    said: Json = json.loads(request.content)
    return said
