"""The chassis does to a connection what its faults promise, seen from a real HTTP client."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox import (
    Call,
    ConnectionDropped,
    Handler,
    Reply,
    Route,
    Router,
    Sandbox,
    SandboxTime,
    json_reply,
)
from tests.support.serve import served


class CounterDesk:
    """The smallest desk: a number that a POST increments."""

    name = "counter"

    def __init__(self) -> None:
        self.time = SandboxTime()
        self.count = 0
        self.router = Router(
            [Route("GET", "/count/{name}", self.show), Route("POST", "/count/{name}", self.add)]
        )
        self.controls = Router([])

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        return handler(call) if handler else json_reply(404, {"error": "no route"})

    def show(self, _call: Call) -> Reply:
        return json_reply(200, {"count": self.count})

    def add(self, call: Call) -> Reply:
        self.count += 1
        return json_reply(201, {"count": self.count, "name": call.parameters["name"]})

    async def settle(self) -> None:
        return None

    def state(self) -> dict[str, object]:
        return {"count": self.count}

    def reset(self) -> None:
        self.count = 0

    async def close(self) -> None:
        return None


def a_sandbox() -> tuple[Sandbox, CounterDesk]:
    desk = CounterDesk()
    return Sandbox(desk), desk


async def arm(client: httpx.AsyncClient, **fault: object) -> None:
    (await client.post("/_sandbox/faults", json=fault)).raise_for_status()


async def log_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get("/_sandbox/requests")).json()
    return answer


@pytest.mark.parametrize(("action", "count"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_connection_is_closed_without_a_byte(action: str, count: int) -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action=action)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/count/a")
        assert desk.count == count
        entry = (await log_of(client))["requests"][0]
        assert (entry["status"], entry["applied"]) == (None, bool(count))
        assert (await client.post("/count/a")).status_code == 201


async def test_a_drop_in_process_raises_the_documented_exception() -> None:
    sandbox, desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        await arm(client, action="drop_after")
        with pytest.raises(ConnectionDropped):
            await client.post("/count/a")
    assert desk.count == 1


async def test_a_request_held_before_is_never_applied_once_its_client_has_gone() -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action="hold_before", kind="write")
        async with httpx.AsyncClient(base_url=address) as doomed:
            with pytest.raises(httpx.ReadTimeout):
                await doomed.post("/count/a", timeout=0.2)
        for _ in range(200):
            if not (await client.get("/_sandbox/held")).json()["held"]:
                break
        assert (await client.post("/_sandbox/release", json={})).json() == {"released": 0}
        assert desk.count == 0
        assert (await log_of(client))["requests"][0]["applied"] is False


async def test_a_request_held_after_is_applied_before_its_answer_arrives() -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action="hold_after", kind="write")
        posting = asyncio.create_task(client.post("/count/a"))
        held = (await client.get("/_sandbox/held", params={"wait_seconds": "5"})).json()["held"]
        assert [(one["method"], one["where"]) for one in held] == [("POST", "after")]
        assert desk.count == 1
        assert not posting.done()
        assert (await client.post("/_sandbox/release")).json() == {"released": 1}
        assert (await posting).status_code == 201


async def test_a_held_request_released_without_applying_closes_the_connection() -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action="hold_before")
        posting = asyncio.create_task(client.post("/count/a"))
        await client.get("/_sandbox/held", params={"wait_seconds": "5"})
        await client.post("/_sandbox/release", json={"apply": False})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await posting
        assert desk.count == 0


async def test_a_write_that_lands_late_is_applied_after_its_connection_closed() -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action="land_late")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post("/count/a")
        await client.get("/_sandbox/held", params={"wait_seconds": "5"})
        assert desk.count == 0
        await client.post("/_sandbox/release")
        await client.get("/_sandbox")
        assert desk.count == 1
        assert (await log_of(client))["requests"][0]["applied"] is True


async def test_the_kth_write_is_struck_whatever_was_read_or_cleared_before() -> None:
    sandbox, desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        await client.post("/count/a")
        await client.get("/count/a")
        await client.post("/_sandbox/requests/reset")
        await arm(client, action="status", status=503, write_number=3, body={"error": "busy"})
        statuses = [(await client.post("/count/a")).status_code for _ in range(3)]
        log = await log_of(client)
    assert statuses == [201, 503, 201]
    assert desk.count == 3
    assert (log["writes"], log["applied_writes"]) == (4, 3)
    assert log["counts"] == {"POST /count/{name}": 3}


async def test_skip_and_times_choose_the_requests_that_are_struck() -> None:
    sandbox, _desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        await arm(client, action="html", status=502, path="^/count/b", skip=1, times=2)
        assert (await client.get("/count/a")).status_code == 200
        answers = [await client.get("/count/b") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 502, 502, 200]
    assert answers[1].headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("is_applied", "count"), [(False, 0), (True, 1)])
async def test_a_canned_status_applies_only_when_told(*, is_applied: bool, count: int) -> None:
    sandbox, desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        await arm(
            client,
            action="status",
            status=503,
            headers={"Retry-After": "0"},
            body="busy",
            applied=is_applied,
        )
        answer = await client.post("/count/a")
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "busy", "0")
    assert desk.count == count


async def test_a_truncated_answer_is_half_a_json() -> None:
    sandbox, desk = a_sandbox()
    async with served(sandbox) as address, httpx.AsyncClient(base_url=address) as client:
        await arm(client, action="truncate")
        answer = await client.post("/count/a")
    assert answer.status_code == 201
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert desk.count == 1


async def test_a_probable_fault_is_the_same_for_the_same_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        transport = httpx.ASGITransport(app=Sandbox(CounterDesk(), seed=seed))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            await arm(client, action="status", status=500, times=None, probability=0.5)
            return [(await client.get("/count/a")).status_code for _ in range(40)]

    first = await statuses(1)
    assert first == await statuses(1)
    assert set(first) == {200, 500}
    assert first != await statuses(2)


async def test_an_unknown_fault_is_refused_and_nothing_is_armed() -> None:
    sandbox, _desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        for wrong in ({"action": "explode"}, {"action": "html", "colour": "red"}, {"path": "("}):
            good = {"action": "html"}
            assert (await client.post("/_sandbox/faults", json=[good, wrong])).status_code == 400
        assert (await client.get("/_sandbox/faults")).json() == {"faults": []}


async def test_reset_starts_the_numbers_and_the_desk_anew() -> None:
    sandbox, desk = a_sandbox()
    transport = httpx.ASGITransport(app=sandbox)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        await client.post("/count/a")
        await arm(client, action="html")
        await client.post("/_sandbox/reset")
        assert desk.count == 0
        log = await log_of(client)
        assert (log["total"], log["writes"], log["requests"]) == (0, 0, [])
        assert (await client.get("/count/a")).status_code == 200


RUN_IN_PROCESS = """
from connectors.sandbox import Sandbox, run
from tests.wire.test_sandbox_chassis import CounterDesk
run(Sandbox(CounterDesk()))
"""


def test_run_prints_its_address_and_stops_on_sigterm_even_with_a_held_request() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN_IN_PROCESS],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["ready"]
        with httpx.Client(base_url=address, trust_env=False) as client:
            assert client.post("/count/a").json() == {"count": 1, "name": "a"}
            client.post("/_sandbox/faults", json={"action": "hold_before"})
            with pytest.raises(httpx.ReadTimeout):
                client.post("/count/a", timeout=0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert err == b""
