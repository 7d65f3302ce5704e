"""zenpy, unmodified and written by others, works against the Zendesk sandbox over loopback.

It reads its address from the environment when it is set up, so each run is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
import requests

from connectors.sandbox import SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from tests.support.serve import served_in_thread

pytest.importorskip("zenpy", reason="zenpy is not installed")

SCRIPT = """
import json, sys
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Ticket, User

client = Zenpy(subdomain="acme", email="syncd@acme.test", token="sandbox-api-token")
# Every read goes over the wire.
client.disable_caching()
told = {}

audit = client.tickets.create(
    Ticket(subject="From zenpy", comment=Comment(body="hello", public=True), tags=["a"])
)
ticket_id = audit.ticket.id
told["created"] = [audit.ticket.status, audit.ticket.subject]

ticket = client.tickets(id=ticket_id)
told["read"] = [type(ticket).__name__, ticket.subject, ticket.tags]

ticket.status = "pending"
ticket.comment = Comment(html_body="<p>note</p>", public=False)
updated = client.tickets.update(ticket)
told["events"] = sorted({event["type"] for event in updated.audit.events})

for number in range(3):
    client.tickets.update(Ticket(id=ticket_id, comment=Comment(body=str(number), public=False)))
comments = client.tickets.comments(ticket_id)
told["comments"] = [[comment.plain_body, comment.public] for comment in comments]

told["long"] = len({comment.id for comment in client.tickets.comments(int(sys.argv[2]))})

user = client.users.create(User(name="Cleo", external_id="platform:u9"))
told["user"] = [found.name for found in client.users.search(external_id="platform:u9")]

told["many"] = [found.id for found in client.tickets(ids=[ticket_id])] == [ticket_id]
told["me"] = client.users.me().email

start = int(sys.argv[1])
export = client.tickets.incremental(start_time=start, paginate_by_time=False)
told["exported"] = [row.id for row in export if row.id == ticket_id] == [ticket_id]
told["after_cursor"] = bool(export.after_cursor)

client.tickets.delete(Ticket(id=ticket_id))
told["deleted"] = [gone.id for gone in client.tickets.deleted()] == [ticket_id]
print(json.dumps(told))
"""


class ShiftingClock:
    """The real clock, moved on by every export so that nothing is withheld from it."""

    def __init__(self) -> None:
        self.shift = 0.0

    def __call__(self) -> float:
        self.shift += 0.5
        return time.time() + self.shift


def _a_long_thread(address: str) -> int:
    """A ticket with more comments than two pages hold."""
    rows = [{"value": f"comment {number}"} for number in range(230)]
    answer = requests.post(
        f"{address}/api/v2/imports/tickets",
        json={"ticket": {"subject": "long", "comments": rows}},
        auth=("syncd@acme.test/token", "sandbox-api-token"),
        timeout=10,
    )
    ticket_id: int = answer.json()["ticket"]["id"]
    return ticket_id


def test_zenpy_creates_reads_updates_lists_and_exports() -> None:
    start = int(time.time()) - 1000
    sandbox = ZendeskSandbox(time=SandboxTime(now=ShiftingClock(), scale=1000))
    with served_in_thread(sandbox) as address:
        answer = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(start), str(_a_long_thread(address))],
            env={
                **os.environ,
                "ZENPY_FORCE_SCHEME": "http",
                "ZENPY_FORCE_NETLOC": address.removeprefix("http://"),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert answer.returncode == 0, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    assert told == {
        "created": ["new", "From zenpy"],
        "read": ["Ticket", "From zenpy", ["a", "area_general", "auto_triage"]],
        "events": ["Change", "Comment"],
        "comments": [["hello", True], ["note", False], ["0", False], ["1", False], ["2", False]],
        "long": 230,
        "user": ["Cleo"],
        "many": True,
        "me": "syncd@acme.test",
        "exported": True,
        "after_cursor": True,
        "deleted": True,
    }
