"""What a monitoring plugin prints of several links: sums first, each link behind them."""

from __future__ import annotations

from datetime import timedelta

from syncd.cli.plugin_line import plugin_lines
from syncd.cli.status_report import Gathered
from syncd.core.figures import LinkFigures
from syncd.core.model import LinkName, Side
from tests.support.build import AT

NOW = AT + timedelta(minutes=1)


def printed(*figures: LinkFigures) -> list[str]:
    found = Gathered(
        now=NOW,
        names=[one.link for one in figures],
        figures={one.link: one for one in figures},
        summaries={},
        refused=[],
        feeds=[],
        webhooks=[],
        word=None,
        listen="127.0.0.1:8480",
    )
    return plugin_lines(found).splitlines()


def a_link(number: int, *, waiting: int = 0, parked: int = 0) -> LinkFigures:
    return LinkFigures(
        link=LinkName(f"link-{number:02}"),
        waiting=waiting,
        waiting_since=AT if waiting else None,
        owed_since={Side.PARTNER: AT} if waiting else {},
        parked={"loop": parked} if parked else {},
    )


def test_the_first_line_has_the_worst_and_the_sums_of_all_links() -> None:
    first, *_ = printed(a_link(1, waiting=2), a_link(2, waiting=1, parked=3))
    assert first.partition(" | ")[2] == (
        "'lag to platform'=0s;300;1800;0 'lag to partner'=60s;300;1800;0 'waiting'=3;;;0"
        " 'parked'=3;0;;0"
    )


def test_each_links_figures_follow_behind_a_second_bar() -> None:
    lines = printed(*(a_link(number) for number in range(30)))
    assert len(lines[0]) < 300
    assert sum(line.count("|") for line in lines) == 2
    begin = next(index for index, line in enumerate(lines) if line.startswith("Each link: | "))
    assert len(lines[begin:]) == 30
    assert lines[-1].startswith("'link-29 lag to platform'=0s;300;1800;0 ")


def test_of_one_link_everything_stands_in_the_first_line() -> None:
    assert not [line for line in printed(a_link(1)) if line.startswith("Each link")]
