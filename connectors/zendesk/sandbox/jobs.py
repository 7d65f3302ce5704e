"""Bulk requests: accepted at once, carried out as a job, one result per row.

A completed job can hold failed rows. At most 30 jobs wait or run.
https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import (
    Refusal,
    forbidden,
    invalid_attribute,
    not_found,
    too_many_jobs,
    too_many_values,
)
from connectors.zendesk.sandbox.imports import Imports
from connectors.zendesk.sandbox.lifecycle import Lifecycle
from connectors.zendesk.sandbox.people import check_unique, new_user, requester_of
from connectors.zendesk.sandbox.records import Job, Json, Ticket, User, Via
from connectors.zendesk.sandbox.request import find_ticket, json_object, number_in_path
from connectors.zendesk.sandbox.update import Updates
from connectors.zendesk.sandbox.wire import job_json, stamp

MOST_ROWS: Final = 100
MOST_JOBS: Final = 30

Row = Callable[[], Json]


class JobRoutes:
    """Bulk endpoints and job statuses of one account."""

    def __init__(
        self,
        account: Account,
        updates: Updates,
        lifecycle: Lifecycle,
        imports: Imports,
        who: Callable[[], User],
    ) -> None:
        self._account = account
        self._updates = updates
        self._lifecycle = lifecycle
        self._imports = imports
        self._who = who
        self._work: dict[str, Sequence[Row]] = {}

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        return [
            Route("PUT", "/api/v2/tickets/update_many", self.update_many),
            Route("POST", "/api/v2/tickets/create_many", self.create_many),
            Route("DELETE", "/api/v2/tickets/destroy_many", self.destroy_many),
            Route("POST", "/api/v2/imports/tickets/create_many", self.import_many),
            Route("POST", "/api/v2/imports/tickets", self.import_one),
            Route("POST", "/api/v2/users/create_many", self.create_users),
            Route("POST", "/api/v2/tickets/{id}/merge", self.merge),
            Route("DELETE", "/api/v2/deleted_tickets/{id}", self.scrub),
            Route("GET", "/api/v2/job_statuses/show_many", self.show_many),
            Route("GET", "/api/v2/job_statuses", self.index),
            Route("GET", "/api/v2/job_statuses/{id}", self.show),
        ]

    def tick(self) -> None:
        """Carry out the jobs that are due."""
        now = self._account.time.now()
        for job in self._account.jobs.values():
            if job.status == "queued" and job.due <= now:
                self._run(job)

    def show(self, call: Call) -> Reply:
        """One job."""
        job = self._account.jobs.get(call.parameters["id"])
        if job is None:
            raise not_found()
        return json_reply(200, {"job_status": job_json(job, call.base_url)})

    def show_many(self, call: Call) -> Reply:
        """Jobs by id."""
        wanted = set((call.value("ids") or "").split(","))
        found = [job for job in self._account.jobs.values() if job.id in wanted]
        return json_reply(200, {"job_statuses": [job_json(job, call.base_url) for job in found]})

    def index(self, call: Call) -> Reply:
        """The latest jobs."""
        jobs = list(self._account.jobs.values())[-MOST_ROWS:]
        return json_reply(200, {"job_statuses": [job_json(job, call.base_url) for job in jobs]})

    def import_one(self, call: Call) -> Reply:
        """One ticket with its history, at once and silently."""
        given = json_object(call).get("ticket")
        if not isinstance(given, dict):
            raise invalid_attribute("ticket", "Invalid parameter: ticket is required")
        answer = self._imports.one(given, self._who(), call.base_url)
        return json_reply(201, {"ticket": answer})

    def import_many(self, call: Call) -> Reply:
        """Up to 100 imports as a job."""
        actor = self._who()

        def row(index: int, given: Json) -> Row:
            return lambda: self._created(index, self._imports.one(given, actor, call.base_url))

        return self._start(call, "Bulk Import Ticket", _rows(call), row)

    def create_many(self, call: Call) -> Reply:
        """Up to 100 creations as a job."""
        actor = self._who()

        def create(given: Json) -> Json:
            requester = requester_of(self._account, given, actor)
            done = self._updates.create(given, actor, Via(), requester=requester)
            return {"id": done.ticket.id}

        def row(index: int, given: Json) -> Row:
            return lambda: self._created(index, create(given))

        return self._start(call, "Bulk Create Ticket", _rows(call), row)

    def create_users(self, call: Call) -> Reply:
        """Up to 100 users as a job, where the account's owner has had that enabled."""
        if not self._account.settings.allows_bulk_users:
            raise forbidden()

        def create(given: Json) -> Json:
            check_unique(self._account, given)
            return {"id": new_user(self._account, given).id}

        def row(index: int, given: Json) -> Row:
            return lambda: self._created(index, create(given))

        return self._start(call, "Bulk Create User", _rows(call, "users"), row)

    def update_many(self, call: Call) -> Reply:
        """Up to 100 updates as a job; always safe, from the moment of queueing at the latest."""
        actor, ids = self._who(), call.value("ids")
        if ids is None:
            rows = _rows(call)
        else:
            shared = json_object(call).get("ticket") or {}
            rows = [
                self._guarded({**shared, "id": int(one)}) for one in ids.split(",") if one.strip()
            ]

        def update(given: Json) -> Json:
            ticket = self._account.ticket(int(given.get("id") or 0))
            if ticket is None:
                raise not_found()
            said = given.get("comment")
            if self._account.settings.bulk_comments_are_public and isinstance(said, dict):
                given = {**given, "comment": {**said, "public": True}}
            self._updates.carry_out(ticket, given, actor, Via())
            return {"id": ticket.id, "action": "update", "status": "Updated", "success": True}

        def row(_index: int, given: Json) -> Row:
            return lambda: update(given)

        return self._start(call, "Bulk Update Ticket", rows, row)

    def destroy_many(self, call: Call) -> Reply:
        """Up to 100 deletions as a job."""
        actor = self._who()
        rows: list[Json] = [{"id": int(one)} for one in (call.value("ids") or "").split(",")]

        def delete(given: Json) -> Json:
            ticket = self._account.ticket(given["id"])
            if ticket is None:
                raise not_found()
            self._lifecycle.delete(ticket, actor, Via())
            return {"id": ticket.id, "action": "delete", "status": "Deleted", "success": True}

        return self._start(
            call, "Bulk Delete Ticket", rows, lambda _index, given: lambda: delete(given)
        )

    def merge(self, call: Call) -> Reply:
        """Merge other tickets into this one, as a job."""
        target, given, actor = find_ticket(self._account, call), json_object(call), self._who()
        sources: list[Ticket] = []
        for one in given.get("ids") or []:
            source = self._account.ticket(int(one))
            if source is None or source is target:
                raise invalid_attribute("ids", "Invalid parameter: ids")
            sources.append(source)
        if not sources:
            raise invalid_attribute("ids", "Invalid parameter: ids is required")

        def merge() -> Json:
            self._lifecycle.merge(target, sources, given, actor)
            return {"id": target.id, "action": "merge", "status": "Updated", "success": True}

        return self._start(call, "Ticket Merge", [given], lambda _index, _given: merge)

    def scrub(self, call: Call) -> Reply:
        """Delete a deleted ticket for good, as a job."""
        ticket = self._account.tickets.get(number_in_path(call))
        if ticket is None or ticket.deleted_at is None:
            raise not_found()

        def scrub() -> Json:
            self._lifecycle.scrub(ticket)
            return {"id": ticket.id, "action": "delete", "status": "Deleted", "success": True}

        return self._start(call, "Delete Ticket", [{}], lambda _index, _given: scrub)

    def _start(
        self, call: Call, kind: str, rows: list[Json], row: Callable[[int, Json], Row]
    ) -> Reply:
        if len(rows) > MOST_ROWS:
            raise too_many_values(MOST_ROWS)
        waiting = [job for job in self._account.jobs.values() if job.status == "queued"]
        left = MOST_JOBS - len(waiting)
        if left <= 0:
            raise too_many_jobs((job.id for job in waiting), [_inflight(0)])
        seconds = self._account.settings.job_seconds
        job = Job(
            id=f"V3-{uuid.uuid5(uuid.NAMESPACE_URL, str(self._account.new_id())).hex}",
            kind=kind,
            total=len(rows),
            due=self._account.time.now() + seconds,
        )
        self._account.jobs[job.id] = job
        self._work[job.id] = [
            _told(row(index, given), index, given, kind) for index, given in enumerate(rows)
        ]
        # The answer tells of a job that has not begun, whatever becomes of it meanwhile.
        answer = job_json(job, call.base_url)
        if seconds > 0:
            asyncio.get_running_loop().call_later(seconds, self._run, job)
        else:
            self._run(job)
        return json_reply(200, {"job_status": answer}, [_inflight(left - 1)])

    def _run(self, job: Job) -> None:
        work = self._work.pop(job.id, None)
        if work is None:
            return
        job.status, job.results = "working", []
        most = self._account.settings.job_dies_after_rows
        job.results += [row() for row in work[:most]]
        if most is not None and most < len(work):
            job.status, job.message = "killed", "The job was killed"
            return
        job.status = "completed"
        job.message = f"Completed at {stamp(self._account.second())}"

    def _created(self, index: int, answer: Json) -> Json:
        account_id = self._account.settings.account_id
        return {"index": index, "id": answer["id"], "account_id": account_id}

    def _guarded(self, given: Json) -> Json:
        ticket = self._account.ticket(given["id"])
        if "updated_stamp" in given or ticket is None:
            return {"safe_update": True, **given}
        return {**given, "safe_update": True, "updated_stamp": stamp(ticket.updated_at)}


def _told(row: Row, index: int, given: Json, kind: str) -> Row:
    """The row, with a refusal told as its result: by id, or by place where there is none yet."""

    def run() -> Json:
        try:
            return row()
        except Refusal as refusal:
            noun = "User" if kind.endswith("User") else "Ticket"
            what: Json = {"id": given["id"], "action": "update"} if "id" in given else {}
            return (what or {"index": index}) | {
                "success": False,
                "error": f"{noun}UpdateFailed" if what else f"{noun}CreateFailed",
                "details": refusal.reply.body.decode(),
            }

    return run


def _rows(call: Call, name: str = "tickets") -> list[Json]:
    rows = json_object(call).get(name)
    if not isinstance(rows, list):
        raise invalid_attribute(name, f"Invalid parameter: {name} is required")
    return [row for row in rows if isinstance(row, dict)]


def _inflight(left: int) -> tuple[str, str]:
    return "zendesk-ratelimit-inflight-jobs", f"total={MOST_JOBS}; remaining={left}; resets=60"
