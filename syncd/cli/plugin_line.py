"""What a monitoring plugin prints: one line to read and its figures, then one line a trouble.

The format is that of Nagios and its kin: the text, a bar, and `'label'=value[unit];warn;crit;min`.
The first line, which is all that many of them keep, has the figures of all links together; those of
each follow at the end, behind a second bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncd.cli.plain import visible
from syncd.cli.status_report import Gathered, figures_of, lag_seconds
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
    links = [figures_of(name, found) for name in found.names]
    told = told or f"{len(links)} {'link' if len(links) == 1 else 'links'} in step"
    each = list(_of_each(links, found)) if len(links) > 1 else []
    if each:
        texts.append(f"Each link: | {each[0]}")
    figures = " ".join(_of_all(links, found))
    return _lines([f"SYNCD {verdict.level.name} - {told} | {figures}", *texts, *each[1:]])


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


def _of_all(links: Sequence[LinkFigures], found: Gathered) -> Iterator[str]:
    """The longest lag of any link, and what waits and is parked in all of them."""
    for side in Side:
        yield _lag(
            "lag to", side, max((lag_seconds(one, side, found.now) for one in links), default=0)
        )
    yield f"'waiting'={sum(link.waiting for link in links)};;;0"
    yield f"'parked'={sum(sum(link.parked.values()) for link in links)};0;;0"


def _of_each(links: Sequence[LinkFigures], found: Gathered) -> Iterator[str]:
    for link in links:
        lags = [
            _lag(f"{link.link} lag to", side, lag_seconds(link, side, found.now)) for side in Side
        ]
        waiting = f"{_label(f'{link.link} waiting')}={link.waiting};;;0"
        parked = f"{_label(f'{link.link} parked')}={sum(link.parked.values())};0;;0"
        yield " ".join((*lags, waiting, parked))


def _lag(what: str, side: Side, seconds: float) -> str:
    warning, critical = (int(one.total_seconds()) for one in (LIMITS.lag, LIMITS.long_lag))
    return f"{_label(f'{what} {side.value}')}={seconds}s;{warning};{critical};0"


def _label(name: str) -> str:
    quoted = _plain(name).replace("'", "").replace("=", "-")
    return f"'{quoted}'"
