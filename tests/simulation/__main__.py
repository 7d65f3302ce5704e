"""Play many histories, each from one integer, and say whether a promise was broken."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import Progress, TextColumn

from tests.simulation.history import a_place, play
from tests.simulation.one import begin, outcome_of, played
from tests.simulation.people import DAYS, DEEDS, Writer
from tests.simulation.report import Outcome, Sum, as_json, as_table
from tests.simulation.script import read_script

_BROKEN = 1


def main(arguments: list[str] | None = None) -> int:
    """Play; 1 when a promise was broken, 128 and the signal's number when one ended it.

    What was played until then is told in any case.
    """
    options = _options(arguments)
    # As on an interrupt: what was begun is put away.
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    total = Sum()
    ended = 0
    try:
        _play_all(options, total, began)
    except KeyboardInterrupt:
        ended = 128 + signal.SIGINT
    except SystemExit as end:
        ended = int(end.code or 0)
    rows = total.rows(time.monotonic() - began)
    print(as_json(rows) if options.format == "json" else as_table(rows))
    return ended or (_BROKEN if total.violations else 0)


def _play_all(options: argparse.Namespace, total: Sum, began: float) -> None:
    with _a_line() as line:
        task = line.add_task("histories", total=options.seeds, told="")
        with contextlib.closing(_outcomes(options)) as outcomes:
            for outcome in outcomes:
                total.add(outcome)
                told = f"{total.operations:,} operations, {len(total.violations)} violations"
                line.update(task, advance=1, told=told)
                if outcome.script is not None:
                    options.scripts.mkdir(parents=True, exist_ok=True)
                    path = Path(options.scripts, f"seed-{outcome.seed}.jsonl")
                    outcome.script.write(path)
                    told = f"Seed {outcome.seed} breaks a promise. Play it again: --replay {path}"
                    print(told, file=sys.stderr)
                if options.seconds and time.monotonic() - began > options.seconds:
                    return


def _a_line() -> Progress:
    """How far it is, on a terminal alone."""
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[told]}"))
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many histories")
    parser.add_argument("--first", type=int, default=1, help="the first one's integer")
    parser.add_argument("--seed", type=int, help="only this history, with all that happens in it")
    parser.add_argument("--replay", type=Path, help="only the history of a file")
    parser.add_argument("--days", type=float, default=DAYS, help="simulated days of activity")
    parser.add_argument("--deeds", type=int, default=DEEDS, help="what people try in that time")
    parser.add_argument("--seconds", type=float, default=0, help="end after this, also before all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--whole", action="store_true", help="do not cut failing scripts short")
    parser.add_argument("--scripts", type=Path, default=Path(), help="where failing ones are kept")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    return parser.parse_args(arguments)


def _outcomes(options: argparse.Namespace) -> Generator[Outcome, None, None]:
    if options.seed is not None or options.replay is not None:
        yield _one(options)
        return
    seeds = range(options.first, options.first + options.seeds)
    work = partial(played, days=options.days, deeds=options.deeds, is_cut=not options.whole)
    spawn = multiprocessing.get_context("spawn")
    with a_place() as place, spawn.Pool(options.workers, begin, (place,)) as pool:
        yield from pool.imap_unordered(work, seeds)


def _one(options: argparse.Namespace) -> Outcome:
    if options.replay is not None:
        script = read_script(options.replay)
    else:
        script = Writer(options.seed, days=options.days, deeds=options.deeds).script()
    done = play(script, is_traced=True)
    print("\n".join([*done.trace, f"digest {done.digest}"]), file=sys.stderr)
    return outcome_of(script.terms.seed, done)


if __name__ == "__main__":
    sys.exit(main())
