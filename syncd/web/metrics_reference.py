"""The page docs/metrics.md, written from the list of families: it cannot grow old.

`python -m syncd.web.metrics_reference > docs/metrics.md` writes it anew.
"""

from __future__ import annotations

import sys

from syncd.web.metric_family import FAMILIES, Family

_INTRODUCTION = """\
# Metrics

Written by `python -m syncd.web.metrics_reference`; a test compares it with the program.

`GET /metrics` on `server.listen` answers in Prometheus' text format, beside `/healthz` and \
`/readyz`.
Let it be reached from your own network only; it holds names of links and connections, and no \
ticket, text or secret.
[Operations](operations.md#monitoring) has the alert rules and how to scrape.

Counters begin at 0 with the process, and after a reload.
The figures of links come from the store, which is asked at most once in five seconds however \
many scrape; with 100,000 pairs and a million writes in the \
journal, that took 40 ms of one core.
The number of series is bounded: each label has the values of a list, or of your configuration, \
or, where desks have a say, a limited number of them; what goes beyond is `other`.
Beside these there are the process' own: `process_cpu_seconds_total`, \
`process_resident_memory_bytes`, `process_open_fds` and their like.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    return _INTRODUCTION + "\n".join(map(_row, FAMILIES.values())) + "\n"


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    told = f"{family.help} {family.values[:1].upper()}{family.values[1:]}" if family.values else ""
    meaning = f"{told}." if told else family.help
    return f"| `{family.name}` | {family.kind} | {labels} | {meaning} |"


if __name__ == "__main__":
    sys.stdout.write(render())
