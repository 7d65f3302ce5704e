"""zenpy, unmodified, in two hands: `python -m tests.bench.peers.zenpy_fault_writer SUBDOMAIN ...`.

`bare` writes a private comment and believes what it is told. `careful` is what a careful person
makes of it: reads the ticket, writes under its stamp, and after any error looks whether the comment
is there before it writes again.
zenpy repeats requests over https only, so its own adapter is mounted for the loopback's http, too.
A process of its own, because zenpy takes its address from the environment. Reads one JSON line
`{"hand", "ticket_id", "text"}` a comment and answers `{"is_reported": bool}`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys

import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Ticket

from tests.bench.stopwatch import rest

_TRIES = 3
_PAUSE_SECONDS = 1.0


def main() -> None:
    """Serve until the input ends."""
    subdomain, email, token, timeout = sys.argv[1:]
    # It logs what it repeats; nobody reads that here.
    logging.disable(logging.CRITICAL)
    session = requests.Session()
    session.mount("http://", HTTPAdapter(**Zenpy.http_adapter_kwargs()))
    client = Zenpy(
        subdomain=subdomain, email=email, token=token, timeout=float(timeout), session=session
    )
    client.disable_caching()
    client.users.me()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        hand = _bare if wanted["hand"] == "bare" else _careful
        is_reported = hand(client, wanted["ticket_id"], wanted["text"])
        print(json.dumps({"is_reported": is_reported}), flush=True)


def _bare(client: Zenpy, ticket_id: int, text: str) -> bool:
    ticket = Ticket(id=ticket_id)
    ticket.comment = Comment(html_body=_html(text), public=False)
    # Whatever it raises, the person is told that it failed.
    with contextlib.suppress(Exception):
        client.tickets.update(ticket)
        return True
    return False


def _careful(client: Zenpy, ticket_id: int, text: str) -> bool:
    for _ in range(_TRIES):
        with contextlib.suppress(Exception):
            ticket = client.tickets(id=ticket_id)
            ticket.safe_update, ticket.updated_stamp = True, ticket.updated_at
            ticket.comment = Comment(html_body=_html(text), public=False)
            client.tickets.update(ticket)
            return True
        rest(_PAUSE_SECONDS)
        with contextlib.suppress(Exception):
            if any(text == one.plain_body for one in client.tickets.comments(ticket_id)):
                return True
    return False


def _html(text: str) -> str:
    return f"<p>{text}</p>"


if __name__ == "__main__":
    main()
