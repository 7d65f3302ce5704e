"""A private comment to Zendesk under each fault that doubles or loses one: syncd beside zenpy.

The same desk, the same faults, each armed for the very next write. Counted on the desk itself: a
comment that is there twice was doubled, one that is not there although its writer said nothing was
lost.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured
from tests.bench.measures import Bench
from tests.bench.peers.zenpy_process import ZenpyProcess, zenpy_process
from tests.bench.stopwatch import rest, wait_for
from tests.bench.world import Desks, Scale, Twin

_SYNCD, _ZENPY, _CAREFUL = "syncd", "zenpy, bare PUT", "zenpy, with care"
_TIMEOUT_SECONDS = 1.0
_QUIET_SECONDS = 1.5
_PUT = {"methods": ["PUT"], "path": r"^/api/v2/tickets/\d+"}
_AGAIN = {"Retry-After": "1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    name: str
    #: A rule of the desk's; None where the fault is one of the sender's.
    rule: Json | None
    #: How often the same event is delivered.
    deliveries: int = 1


_FAULTS = (
    _Fault(name="applied, answer lost", rule={"action": "drop_after", **_PUT}),
    _Fault(name="applied, answer lost 3 times", rule={"action": "drop_after", "times": 3, **_PUT}),
    _Fault(
        name="applied, writer timed out",
        rule={"action": "delay_after", "delay_seconds": 2 * _TIMEOUT_SECONDS, **_PUT},
    ),
    _Fault(
        name="applied, then 503 with Retry-After",
        rule={"action": "status", "status": 503, "applied": True, "headers": _AGAIN, **_PUT},
    ),
    _Fault(
        name="429 with Retry-After",
        rule={"action": "status", "status": 429, "headers": _AGAIN, **_PUT},
    ),
    _Fault(
        name="503 with Retry-After, not applied",
        rule={"action": "status", "status": 503, "headers": _AGAIN, **_PUT},
    ),
    _Fault(name="the same webhook twice", rule=None, deliveries=2),
)


@dataclass(slots=True)
class _Count:
    doubled: int = 0
    lost: int = 0
    requests: int = 0


def measure(bench: Bench) -> Measured:
    """Every fault with every writer, several times."""
    runs = bench.times(5, 1)
    counts: dict[tuple[str, str], list[_Count]] = {
        (fault.name, who): [] for fault in _FAULTS for who in (_SYNCD, _ZENPY, _CAREFUL)
    }
    # Quotas of one ticket would be reached otherwise: every fault has a ticket of its own.
    scale = Scale(tickets=len(_FAULTS), time_scale=60.0)
    with world.desks(bench.folder / "theirs", scale) as there, _zenpy(there) as zenpy:
        twins = world.open_both(there)
        for number in range(runs):
            bench.say(f"zenpy, run {number + 1} of {runs}")
            for fault, twin in zip(_FAULTS, twins, strict=True):
                for who in (_ZENPY, _CAREFUL):
                    mark = f"comment {number} by {who}"
                    count = _through_zenpy(zenpy, there, twin, fault, mark, hand=who)
                    counts[fault.name, who].append(count)
    with world.desks(bench.folder / "ours", scale) as there, _syncd(bench.folder, there):
        twins = world.bear(there)
        for number in range(runs):
            bench.say(f"syncd, run {number + 1} of {runs}")
            for fault, twin in zip(_FAULTS, twins, strict=True):
                count = _through_syncd(there, twin, fault, f"comment {number}")
                counts[fault.name, _SYNCD].append(count)
    return Measured(
        title="One private comment under each fault",
        figures=tuple(
            figure
            for fault in _FAULTS
            for peer in (_ZENPY, _CAREFUL)
            for figure in _figures(fault, peer, counts)
        ),
        conditions=(
            f"{runs} comments for each fault and writer; a figure is comments doubled or lost of"
            " one, counted on the desk. Writers wait one second for an answer.",
            "syncd is the whole daemon, from the platform's webhook on. Bare zenpy writes and"
            " believes; with care it reads first, writes under the stamp and looks again after"
            " every error; zenpy's own transport repeats beneath both. A webhook delivered twice"
            " makes either of them write twice.",
        ),
        raw={
            f"{fault.name}: {who}": [
                [count.doubled, count.lost, count.requests] for count in counts[fault.name, who]
            ]
            for fault in _FAULTS
            for who in (_SYNCD, _ZENPY, _CAREFUL)
        },
    )


def _figures(
    fault: _Fault, peer: str, counts: dict[tuple[str, str], list[_Count]]
) -> Iterator[Figure]:
    ours, theirs = counts[fault.name, _SYNCD], counts[fault.name, peer]
    doubled, lost = sum(count.doubled for count in ours), sum(count.lost for count in ours)
    yield Figure(
        name=f"{fault.name}: doubled or lost",
        unit="comments",
        runs=tuple(count.doubled + count.lost for count in ours),
        against=Against(name=peer, runs=tuple(count.doubled + count.lost for count in theirs)),
        goal=Goal(text="none", bound=0.0),
        detail=f"{doubled} doubled, {lost} lost of {len(ours)}",
        digits=0,
    )
    if peer == _CAREFUL:
        yield Figure(
            name=f"{fault.name}: requests",
            unit="requests",
            runs=tuple(count.requests for count in ours),
            against=Against(name=peer, runs=tuple(count.requests for count in theirs)),
            digits=0,
        )


@contextlib.contextmanager
def _syncd(folder: Path, there: Desks) -> Iterator[None]:
    engine = world.run_syncd(folder, _impatient(world.configure(folder, there)))
    try:
        yield
    finally:
        engine.process.kill()


def _impatient(config: Path) -> Path:
    """The configuration with the timeout that the peers have."""
    read = yaml.safe_load(config.read_text("utf-8"))
    for connection in read["connections"].values():
        connection["timeout"] = f"{_TIMEOUT_SECONDS:g}s"
    config.write_text(yaml.safe_dump(read, sort_keys=False), encoding="utf-8")
    return config


def _through_syncd(there: Desks, twin: Twin, fault: _Fault, mark: str) -> _Count:
    partner = there.partners[twin.account]
    before = partner.call("GET", "/_sandbox")["requests"]
    _arm(there, twin, fault)
    there.platform.change_settings({"webhooks": {"duplicate": float(fault.deliveries > 1)}})
    there.platform.act(
        world.STAFF,
        "update",
        ticket_id=twin.platform_id,
        comment={"body_html": f"<p>{mark}</p>", "visibility": "private", "views": [there.view(0)]},
    )
    with contextlib.suppress(TimeoutError):
        wait_for(mark, lambda: _copies(there, twin, mark) > 0, seconds=30)
    rest(_QUIET_SECONDS)
    world.wait_quiet(there, seconds=_QUIET_SECONDS)
    return _counted(there, twin, mark, before)


def _arm(there: Desks, twin: Twin, fault: _Fault) -> None:
    partner = there.partners[twin.account]
    partner.disarm()
    if fault.rule is not None:
        partner.arm(fault.rule)


def _copies(there: Desks, twin: Twin, mark: str) -> int:
    for ticket in there.partners[twin.account].state()["tickets"]:
        if str(ticket["id"]) == twin.partner_id:
            return sum(f"{mark}<" in comment["html_body"] for comment in ticket["comments"])
    return 0


def _counted(there: Desks, twin: Twin, mark: str, before: int, *, is_told: bool = False) -> _Count:
    partner = there.partners[twin.account]
    partner.disarm()
    copies = _copies(there, twin, mark)
    return _Count(
        doubled=max(copies - 1, 0),
        # A writer that says it failed has not lost the comment: a person knows.
        lost=int(copies == 0 and not is_told),
        requests=partner.call("GET", "/_sandbox")["requests"] - before,
    )


def _through_zenpy(
    zenpy: ZenpyProcess, there: Desks, twin: Twin, fault: _Fault, mark: str, *, hand: str
) -> _Count:
    """Write one comment as often as its event is delivered."""
    before = there.partners[twin.account].call("GET", "/_sandbox")["requests"]
    _arm(there, twin, fault)
    wanted: Json = {
        "hand": "bare" if hand == _ZENPY else "careful",
        "ticket_id": int(twin.partner_id),
        "text": mark,
    }
    is_told = False
    for _ in range(fault.deliveries):
        is_told = not zenpy.ask(wanted)["is_reported"]
    # A write that its writer gave up may land a moment later.
    rest(2 * _TIMEOUT_SECONDS)
    return _counted(there, twin, mark, before, is_told=is_told)


def _zenpy(there: Desks) -> AbstractContextManager[ZenpyProcess]:
    patience = f"{_TIMEOUT_SECONDS:g}"
    return zenpy_process("zenpy_fault_writer", there.partners[0], patience)
