"""What a monitoring plugin prints: one line to read and its figures, then one line a trouble.

The format is that of Nagios and its kin: the text, a bar, and `'label'=value[unit];warn;crit;min`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncd.cli.plain import visible
from syncd.cli.status_report import Gathered, lag_seconds
from syncd.core.figures import LinkFigures
from syncd.core.model import Side
from syncd.core.verdict import LIMITS, Level, Trouble

_FIRST = 3


def plugin_lines(found: Gathered) -> str:
    """The whole output for a judgement that could be made."""
    verdict = found.verdict()
    texts = [_told(trouble) for trouble in verdict.troubles]
    told = "; ".join(texts[:_FIRST])
    if len(texts) > _FIRST:
        told += f"; and {len(texts) - _FIRST} more"
    links = [found.figures.get(name) or LinkFigures(link=name) for name in found.names]
    told = told or f"{len(links)} {'link' if len(links) == 1 else 'links'} in step"
    figures = " ".join(_figures(links, found))
    return _lines([f"SYNCD {verdict.level.name} - {told} | {figures}", *texts])


def unknown_lines(reasons: Sequence[str], hint: str) -> str:
    """The output where no judgement can be made, and why."""
    first, *others = [_plain(reason) for reason in reasons]
    return _lines([f"SYNCD {Level.UNKNOWN.name} - {first}", *others, _plain(hint)])


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _told(trouble: Trouble) -> str:
    name = trouble.name or "syncd"
    return _plain(f"{name}: {trouble.text}")


def _plain(text: str) -> str:
    """One line, without what would begin the figures."""
    return visible(text).replace("|", "/").replace("\n", " ")


def _figures(links: Sequence[LinkFigures], found: Gathered) -> Iterator[str]:
    warning, critical = (int(one.total_seconds()) for one in (LIMITS.lag, LIMITS.long_lag))
    for link in links:
        for side in Side:
            lag = lag_seconds(link, side, found.now)
            label = _label(f"{link.link} lag to {side.value}")
            yield f"{label}={lag}s;{warning};{critical};0"
        yield f"{_label(f'{link.link} waiting')}={link.waiting};;;0"
        yield f"{_label(f'{link.link} parked')}={sum(link.parked.values())};0;;0"


def _label(name: str) -> str:
    quoted = _plain(name).replace("'", "").replace("=", "-")
    return f"'{quoted}'"
