"""RT reads a ticket's fields before it looks for the newest transaction, and answers with both.

So the body of an answer can be older than its ETag. The connector never takes one for the other.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.request_tracker.connector import RequestTrackerConnector
from syncd.cli.demo.request_tracker import RequestTracker
from syncd.core.model import TicketId
from syncd.ports import Read
from tests.support.clock import FakeClock
from tests.support.request_tracker import Place
from tests.support.request_tracker_desk import a_connector

_READS = 15


@pytest.mark.slow
@pytest.mark.parametrize("read", [Read.FIELDS, Read.WHOLE])
async def test_fields_of_a_ticket_that_moves_are_never_older_than_they_claim(
    read: Read, request_tracker: Place
) -> None:
    with contextlib.closing(request_tracker.people()) as people:
        queue = f"Race-{uuid.uuid4().hex[:12]}"
        people.make_queue(queue)
        ticket_id = people.open(
            "agent1",
            queue=queue,
            subject="0",
            html="<p>t</p>",
            requestor="cust1@platform.test",
        )
        clock = FakeClock(datetime.now(UTC))
        token = people.tokens["syncbot"]
        connector = a_connector(request_tracker.direct, clock, token=token, queues=[queue])
        try:
            with _restless(request_tracker, ticket_id):
                seen = [await _seen(connector, ticket_id, read, 0)]
                for _ in range(_READS):
                    seen.append(await _seen(connector, ticket_id, read, seen[-1][1]))
        finally:
            await connector.close()
        became = {
            int(row["id"]): int(row["NewValue"])
            for row in people.history(ticket_id)
            if row["Type"] == "Set"
        }
    assert len({version for _, version in seen}) > 1, "the ticket did not move"
    # Newer fields than the version spoil no write, which is refused under it.
    older = [
        (subject, version)
        for subject, version in seen
        if subject < max((became[number] for number in became if number <= version), default=0)
    ]
    assert older == []


async def _seen(
    connector: RequestTrackerConnector, ticket_id: str, read: Read, known: int
) -> tuple[int, int]:
    sighting = await connector.fetch(TicketId(ticket_id), read, comments_as_of=known)
    assert sighting is not None
    assert sighting.ticket is not None
    return int(sighting.ticket.subject), sighting.ticket.fields_as_of


@contextlib.contextmanager
def _restless(place: Place, ticket_id: str) -> Iterator[None]:
    """Somebody counts in the subject, all the time."""
    is_over = threading.Event()

    def change() -> None:
        with contextlib.closing(RequestTracker(place.direct, place.tokens)) as people:
            number = 0
            while not is_over.is_set():
                number += 1
                people.call("agent1", "PUT", f"/ticket/{ticket_id}", json={"Subject": str(number)})

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
