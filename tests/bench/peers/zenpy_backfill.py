"""zenpy, unmodified, imports tickets: `python -m tests.bench.peers.zenpy_backfill SUBDOMAIN ...`.

What a careful person writes for it: each thread is read at the platform, then a hundred customers
are one job, and their hundred tickets another. Reads one JSON object
`{"platform", "token", "ticket_ids", "makes_users_in_bulk"}` and ends when all are imported.
A process of its own, because zenpy takes its address from the environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from zenpy import Zenpy
from zenpy.lib.api_objects import JobStatus, Ticket, User

from tests.bench.figure import Json
from tests.bench.stopwatch import rest

_TOGETHER = 100
_PAUSE_SECONDS = 0.25
_SECONDS = 20.0


def main() -> None:
    """Import what standard input names."""
    subdomain, email, token = sys.argv[1:]
    client = Zenpy(subdomain=subdomain, email=email, token=token)
    client.disable_caching()
    wanted = json.load(sys.stdin)
    session = requests.Session()
    session.trust_env = False
    session.headers["authorization"] = f"Bearer {wanted['token']}"
    people: dict[str, int] = {}
    for start in range(0, len(wanted["ticket_ids"]), _TOGETHER):
        threads = [
            session.get(
                f"{wanted['platform']}/tickets/{ticket_id}/updates", timeout=_SECONDS
            ).json()
            for ticket_id in wanted["ticket_ids"][start : start + _TOGETHER]
        ]
        asking = {t["ticket"]["requester"]["id"]: t["ticket"]["requester"] for t in threads}
        strangers = [person for key, person in asking.items() if key not in people]
        people |= _made(client, strangers, is_bulk=wanted["makes_users_in_bulk"])
        _results(client, client.ticket_import.create([_ticket(t, people) for t in threads]))


def _made(client: Zenpy, persons: Sequence[Json], *, is_bulk: bool) -> Iterator[tuple[str, int]]:
    """The users for these people, by the platform's id."""
    users = [
        User(
            name=person["name"],
            external_id=f"zenpy:{person['id']}",
            role="end-user",
            skip_verify_email=True,
        )
        for person in persons
    ]
    if is_bulk and len(users) > 1:
        for row in _results(client, client.users.create(users)):
            yield persons[row["index"]]["id"], row["id"]
        return
    for person, user in zip(persons, users, strict=True):
        yield person["id"], client.users.create(user).id


def _ticket(thread: Json, people: dict[str, int]) -> Ticket:
    shown = thread["ticket"]
    comments = [
        {
            "html_body": update["comment"]["body_html"],
            "public": update["comment"]["visibility"] == "public",
            "created_at": update["at"],
        }
        for update in thread["updates"]
        if update["comment"] is not None
    ]
    return Ticket(
        subject=shown["subject"],
        external_id=f"zenpy:{shown['id']}",
        requester_id=people[shown["requester"]["id"]],
        comments=comments,
    )


def _results(client: Zenpy, job: JobStatus) -> list[dict[str, Any]]:
    """What became of each row. Raises ValueError for a row that failed."""
    while job.status not in {"completed", "failed", "killed"}:
        rest(_PAUSE_SECONDS)
        job = client.job_status(id=job.id)
    rows = [row if isinstance(row, dict) else row.to_dict() for row in job.results]
    if job.status != "completed" or any("error" in row for row in rows):
        raise ValueError("a row failed")
    return rows


if __name__ == "__main__":
    main()
