"""The private Request Tracker: real, seeded, restartable, behind the chassis, ended with us.

What is asserted of RT itself are the facts on which the connector stands.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli.demo.desks import Desk, DeskError
from syncd.cli.demo.processes import Started
from syncd.cli.demo.request_tracker import RequestTracker
from tests.support.request_tracker import Place, PrivateOnes

ACME = "Partner-Acme"


@pytest.fixture
def people(request_tracker: Place) -> Iterator[RequestTracker]:
    with contextlib.closing(request_tracker.people()) as found:
        yield found


@pytest.fixture
def ticket(people: RequestTracker) -> str:
    return people.open(
        "agent1",
        queue=ACME,
        subject="refused",
        html="<p>too many connections</p>",
        requestor="cust1@platform.test",
        fields={"Tags": ["product-postgres", "vip"], "App": "shop"},
    )


def _types(people: RequestTracker, ticket: str) -> list[str]:
    return [one["Type"] for one in people.history(ticket)]


def test_a_reply_is_public_and_a_comment_is_not_and_system_transactions_surround_them(
    people: RequestTracker, ticket: str
) -> None:
    reply = people.reply("agent2", ticket, "<p>We look.</p>")
    comment = people.comment("agent1", ticket, "<p>Ask finance.</p>")
    found = {one["id"]: one for one in people.history(ticket)}
    assert found[reply]["Type"] == "Correspond"
    assert found[reply]["Creator"]["RealName"] == "Miguel Ortiz"
    assert found[comment]["Type"] == "Comment"
    # The first reply opens the ticket, in nobody's name, and mails the requestor.
    assert {"Create", "Status", "EmailRecord"} <= set(_types(people, ticket))


def test_status_tags_queue_and_owner_change_as_an_agent_changes_them(
    people: RequestTracker, ticket: str
) -> None:
    people.change("agent1", ticket, Status="stalled")
    people.change_tags("agent1", ticket, add=["urgent"], remove=["vip"])
    people.change("agent1", ticket, Queue="Platform", Owner="agent2")
    shown = people.ticket(ticket)
    assert shown["Status"] == "stalled"
    assert shown["Queue"]["Name"] == "Platform"
    assert shown["Owner"]["id"] == "agent2"
    assert sorted(people.field(ticket, "Tags")) == ["product-postgres", "urgent"]


def test_a_change_that_rt_refuses_in_words_only_is_an_error(
    people: RequestTracker, ticket: str
) -> None:
    with pytest.raises(DeskError, match="Status"):
        people.change("agent1", ticket, Status="nonsense")


def test_a_file_keeps_its_name_and_its_bytes(people: RequestTracker, ticket: str) -> None:
    content = bytes(range(256)) * 800
    reply = people.reply(
        "agent1", ticket, "<p>See the log.</p>", files=[("query log.bin", content)]
    )
    # RT mails copies of it, in transactions of their own.
    (part,) = [
        one
        for one in people.attachments(ticket)
        if one["Filename"] == "query log.bin" and one["TransactionId"] == reply
    ]
    assert people.content(part["id"]) == content


def test_a_merged_ticket_leads_to_the_other(people: RequestTracker, ticket: str) -> None:
    other = people.open(
        "agent1", queue=ACME, subject="again", html="<p>again</p>", requestor="cust1@platform.test"
    )
    people.change("agent1", other, MergeInto=ticket)
    assert str(people.ticket(other)["id"]) == ticket


def test_every_test_can_have_a_queue_of_its_own(people: RequestTracker) -> None:
    people.make_queue("Partner-Own")
    opened = people.open(
        "agent1", queue="Partner-Own", subject="s", html="<p>t</p>", requestor="cust1@platform.test"
    )
    assert [str(one["id"]) for one in people.tickets("Queue='Partner-Own'")] == [opened]


def test_the_daemons_user_reads_every_queue_and_administers_nothing(
    people: RequestTracker, ticket: str
) -> None:
    assert people.call("syncbot", "GET", f"/ticket/{ticket}").status_code == 200
    with pytest.raises(DeskError, match="403"):
        people.call("syncbot", "POST", "/queue", json={"Name": "mine"})


def test_rt_is_killed_and_started_again_with_all_that_it_held(
    private_request_tracker: PrivateOnes, tmp_path: Path
) -> None:
    with (
        private_request_tracker(tmp_path / "rt") as place,
        contextlib.closing(place.people()) as people,
        contextlib.closing(Desk(place.address)) as chassis,
    ):
        ticket = people.open(
            "agent1", queue=ACME, subject="s", html="<p>t</p>", requestor="cust1@platform.test"
        )
        with contextlib.closing(RequestTracker(place.address, place.tokens)) as through:
            chassis.call("POST", "/_sandbox/kill")
            with pytest.raises(DeskError, match="502"):
                through.ticket(ticket)
            chassis.call("POST", "/_sandbox/start")
            assert through.ticket(ticket)["Subject"] == "s"
            # A fault of the chassis, and the log of what came through it.
            chassis.arm({"action": "drop_after", "kind": "write", "path": "/comment$"})
            with pytest.raises(DeskError, match="does not answer"):
                through.comment("agent1", ticket, "<p>once</p>")
        logged = chassis.requests_since(0)["requests"]
        assert [(one["method"], one["status"]) for one in logged] == [
            ("GET", 502),
            ("GET", 200),
            ("POST", None),
        ]
        assert _types(people, ticket).count("Comment") == 1


def test_the_instance_ends_with_the_process_that_it_was_started_for(
    rt_seed: Path, tmp_path: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as wanted:
        command = [sys.executable, "-m", "connectors.request_tracker.sandbox"]
        command += ["--folder", str(tmp_path), "--like", str(rt_seed)]
        command += ["--until-ends", str(wanted.pid)]
        started = Started("Request Tracker", command, tmp_path / "sandbox.log")
        try:
            started.wait_ready(lambda line: line if "ready" in line else None)
            wanted.send_signal(signal.SIGKILL)
            wanted.wait()
            _wait(lambda: started.exit_code == 0)
        finally:
            started.stop()
    left = [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _works_in(entry, tmp_path)
    ]
    assert left == []


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return Path(os.readlink(process / "cwd")) == folder
    except OSError:
        return False


def _wait(is_so: object) -> None:
    assert callable(is_so)
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.1)  # noqa: TID251 - another process is waited for
    raise AssertionError("not within 20 s")
