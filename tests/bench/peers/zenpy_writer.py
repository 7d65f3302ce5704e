"""zenpy, unmodified, writes private comments: `python -m tests.bench.peers.zenpy_writer FOLDER`.

A process of its own, because zenpy takes its address from the environment. Reads one JSON line
`{"ticket_ids", "html", "is_read_first"}` a run and answers with the seconds of each comment.
"""

from __future__ import annotations

import json
import sys
import time

from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, Ticket


def main() -> None:
    """Serve until the input ends."""
    subdomain, email, token = sys.argv[1:]
    client = Zenpy(subdomain=subdomain, email=email, token=token)
    client.disable_caching()
    client.users.me()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        print(json.dumps([_write(client, ticket_id, wanted) for ticket_id in wanted["ticket_ids"]]))
        sys.stdout.flush()


def _write(client: Zenpy, ticket_id: int, wanted: dict[str, object]) -> float:
    begun_at = time.perf_counter()
    ticket = client.tickets(id=ticket_id) if wanted["is_read_first"] else Ticket(id=ticket_id)
    ticket.comment = Comment(html_body=wanted["html"], public=False)
    client.tickets.update(ticket)
    return time.perf_counter() - begun_at


if __name__ == "__main__":
    main()
