"""How every report names a pair: its number, its link, and its ticket on each desk."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.cli.report import Column, Format, Row
from syncd.core.model import LinkName, PairId, Side, TicketId


def _tickets_shown(row: Row) -> str:
    tickets = [row.get("platform_ticket"), row.get("partner_ticket")]
    if tickets == [None, None]:
        return ""
    return " / ".join("-" if ticket is None else str(ticket) for ticket in tickets)


LINK = Column(key="link", title="link", is_whole=True)
PAIR = Column(key="pair", title="pair", is_number=True, is_optional=True)
TICKETS = (
    Column(key="platform_ticket", only=Format.CSV),
    Column(key="partner_ticket", only=Format.CSV),
    Column(key="tickets", title="platform / partner", only=Format.TABLE, show=_tickets_shown),
)


def pair_cells(
    pair_id: PairId, link: LinkName, tickets: Mapping[Side, TicketId | None]
) -> dict[str, str | int | None]:
    """The cells of these columns."""
    return {
        "link": link,
        "pair": pair_id,
        "platform_ticket": tickets.get(Side.PLATFORM),
        "partner_ticket": tickets.get(Side.PARTNER),
    }
