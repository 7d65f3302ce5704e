"""Which links a connection's news concern, and for which tickets they want a twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import pytest

from syncd.core.model import ConnectionName, End, LinkName, Side
from syncd.core.policy import LinkPolicy
from syncd.engine.links import Link, Links, is_wanted
from syncd.ports import Connector
from tests.support.build import PARTNER, PLATFORM, a_sighting, a_ticket

GLOBEX = ConnectionName("globex")


@dataclass(frozen=True, kw_only=True)
class Named:
    """As much of a connector as a link's bookkeeping asks for."""

    name: ConnectionName


def a_link(
    name: str,
    *,
    view: str = "acme",
    partner: ConnectionName = PARTNER,
    metadata: dict[str, frozenset[str]] | None = None,
) -> Link:
    connectors = {Side.PLATFORM: PLATFORM, Side.PARTNER: partner}
    return Link(
        policy=LinkPolicy(link=LinkName(name), view=view, metadata_filter=metadata or {}),
        connectors={side: cast(Connector, Named(name=n)) for side, n in connectors.items()},
    )


LINKS = Links(
    [
        a_link("one", view="acme"),
        a_link("two", view="globex", partner=GLOBEX),
        a_link("three", view="acme", metadata={"plan": frozenset({"premium"})}),
    ]
)


def test_a_connection_stands_on_one_side_or_on_none() -> None:
    assert LINKS.side_of(PLATFORM) is Side.PLATFORM
    assert LINKS.side_of(GLOBEX) is Side.PARTNER
    assert LINKS.side_of(ConnectionName("stranger")) is None
    assert set(LINKS.connectors()) == {PLATFORM, PARTNER, GLOBEX}
    assert len(LINKS) == 3


def test_a_ticket_is_born_in_every_link_whose_view_holds_it() -> None:
    both = a_sighting(a_ticket("T1", views=["acme", "globex"]))
    none = a_sighting(a_ticket("T2", views=["elsewhere"]))
    births = LINKS.births(PLATFORM, [both, none])
    born = [(birth.link, birth.ticket_id, birth.partner_connection) for birth in births]
    assert born == [("one", "T1", PARTNER), ("two", "T1", GLOBEX)]
    assert not any(birth.is_silent for birth in births)


def test_a_partners_news_bear_nothing() -> None:
    assert LINKS.births(PARTNER, [a_sighting(a_ticket("T1", views=["acme"]))]) == ()


def test_a_backfill_bears_for_its_own_link_and_silently() -> None:
    shown = a_sighting(a_ticket("T1", views=["acme", "globex"]))
    births = LINKS.births(PLATFORM, [shown], backfill=LinkName("two"))
    assert [(birth.link, birth.is_silent) for birth in births] == [("two", True)]


@pytest.mark.parametrize(
    ("metadata", "is_premium"),
    [({"plan": "premium"}, True), ({"plan": "hobby"}, False), ({}, False)],
)
def test_a_filter_lets_only_its_own_values_through(
    metadata: dict[str, str], is_premium: bool
) -> None:
    ticket = replace(a_ticket("T1", views=["acme"]), metadata=tuple(metadata.items()))
    link = LINKS.find(LinkName("three"))
    assert link is not None
    assert is_wanted(link.policy, a_sighting(ticket)) is is_premium


@pytest.mark.parametrize("end", [end for end in End if end is not End.ALIVE])
def test_a_ticket_that_has_ended_has_no_birth(end: End) -> None:
    ticket = replace(a_ticket("T1", views=["acme"]), end=end)
    assert LINKS.births(PLATFORM, [a_sighting(ticket)]) == ()


def test_a_link_that_is_not_in_the_file_is_not_found() -> None:
    assert LINKS.find(LinkName("four")) is None
