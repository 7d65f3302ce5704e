"""A mass change from beginning to end, as processes: the daemon stops, a person looks and types."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.e2e.test_cli import CONFIG, a_daemon, a_sandbox, a_ticket, report, typed

LINK = "acme-postgres"
COUNT = 6
_SECONDS = 60.0


def on_desk(address: str) -> list[Any]:
    tickets: list[Any] = requests.get(f"{address}/_sandbox/state", timeout=10).json()["tickets"]
    return tickets


def statuses(address: str) -> list[str]:
    return sorted(ticket["status"] for ticket in on_desk(address))


def solve_all(zendesk: str) -> None:
    for ticket in on_desk(zendesk):
        deed = {"as": "alice@acme.test", "ticket_id": ticket["id"], "status": "solved"}
        requests.post(f"{zendesk}/_sandbox/act", json=deed, timeout=10).raise_for_status()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.2)


def test_a_wave_stops_at_the_daemon_and_passes_when_a_person_confirms(folder: Path) -> None:
    scale = ["--time-scale", "60"]
    with a_sandbox("platform", *scale) as platform, a_sandbox("zendesk", *scale) as zendesk:
        text = CONFIG.format(folder=folder, port=0, platform=platform, zendesk=zendesk)
        text += "    mass_changes: {least: 1, most: 3}\n"
        (folder / "syncd.yaml").write_text(text, encoding="utf-8")
        for number in range(COUNT):
            a_ticket(platform, f"Old ticket {number}")
        report(folder, "backfill", LINK)
        with a_daemon(folder):
            pass
        solve_all(zendesk)

        with a_daemon(folder) as address:
            wait_until(lambda: bool(report(folder, "parked")["parked"]))
            health = requests.get(f"{address}/healthz", timeout=10).json()
            wait_until(
                lambda: (
                    requests.get(f"{address}/healthz", timeout=10).json()["stopped"]
                    == {LINK: "mass_change"}
                )
            )
            assert "connections" in health
            assert statuses(platform) == ["Open"] * COUNT

            shown = report(folder, "confirm", LINK, "--dry-run")
            assert shown["counts"] == {"closed by the partner": COUNT}
            assert {(r["before"], r["after"]) for r in shown["changes"]} == {("open", "solved")}
            asked = typed(folder, "confirm", LINK)
            assert asked.returncode != 0
            assert "--yes" in asked.stderr
            assert statuses(platform) == ["Open"] * COUNT

            done = typed(folder, "confirm", LINK, "--yes", "--reason", "spring cleaning")
            assert done.returncode == 0, done.stderr
            wait_until(lambda: statuses(platform) == ["Closed"] * COUNT)
            wait_until(
                lambda: requests.get(f"{address}/healthz", timeout=10).json()["stopped"] == {}
            )
        (deed,) = report(folder, "trail", LINK)["trail"]
        assert (deed["verb"], deed["reason"]) == ("confirm", "spring cleaning")
