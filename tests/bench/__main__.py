"""The command: `python -m tests.bench [MEASURE ...] [--quick]`; all measures when none is named."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figure import Record, read_records, write_record
from tests.bench.machine import describe
from tests.bench.measures import MEASURES, Bench, Skipped, run
from tests.bench.page import written

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
RECORDS = ROOT / "docs" / "benchmarks"


def main() -> None:
    """Take the measures, keep their records, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument(
        "--quick", action="store_true", help="short runs, to see that all works; keeps nothing"
    )
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    names = [name for name in MEASURES if not options.measures or name in options.measures]
    for name in names:
        try:
            record = _take(name, is_quick=options.quick)
        except Skipped as reason:
            print(f"{name}: skipped: {reason}. Its record stays as it was.", file=sys.stderr)
            continue
        _show(record)
        if not options.quick:
            write_record(RECORDS, record)
            page = written(PAGE.read_text("utf-8"), read_records(RECORDS))
            PAGE.write_text(page, encoding="utf-8")


def _take(name: str, *, is_quick: bool) -> Record:
    machine = describe()
    taken_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{name:10} {time.monotonic() - started:6.1f} s  {what}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as folder:
        bench = Bench(folder=Path(folder), is_quick=is_quick, say=say)
        measured = run(name, bench)
    return Record(
        measure=name,
        taken_at=taken_at,
        seconds=round(time.monotonic() - started, 1),
        is_quick=is_quick,
        machine=machine,
        measured=measured,
    )


def _show(record: Record) -> None:
    print(f"{record.measured.title} ({record.seconds:.0f} s)")
    for figure in record.measured.figures:
        ratio = "" if figure.ratio is None else f", ratio {figure.ratio:.2f}"
        verdict = {True: "  met", False: "  NOT MET", None: ""}[figure.is_met]
        print(
            f"  {figure.name}: {figure.median:,.{figure.digits}f} {figure.unit}"
            f"  ({figure.against.name}: {figure.against.median:,.{figure.digits}f}{ratio}){verdict}"
            f"{'  ' + figure.detail if figure.detail else ''}"
        )


if __name__ == "__main__":
    main()
