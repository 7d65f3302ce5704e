"""`syncd status`: how the links are doing, and who waits for an answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.exit_code import ExitCode
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkOption
from syncd.cli.pair_columns import LINK, PAIR, TICKETS, pair_cells
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.core.model import Ball, LinkName
from syncd.core.report import FeedSummary, LinkSummary, RefusedRow, StaleRow, WebhookSummary


def _balls_shown(row: Row) -> str:
    counts = ((ball, row.get(f"ball_{ball}")) for ball in Ball)
    return ", ".join(f"{ball} {count}" for ball, count in counts if count)


_LINKS = (
    LINK,
    Column(key="pairs", title="pairs", is_number=True),
    Column(key="open", title="open", is_number=True),
    Column(key="waiting", title="waiting", is_number=True),
    Column(key="sent", title="sent", is_number=True),
    Column(key="importing", title="importing", is_number=True, is_optional=True),
    Column(key="parked", title="parked", is_number=True),
    Column(key="ended", title="ended", is_number=True),
    Column(key="conflicts", title="conflicts", is_number=True),
    *(Column(key=f"ball_{ball}", only=Format.CSV) for ball in Ball),
    Column(key="ball", title="ball", only=Format.TABLE, show=_balls_shown),
    Column(key="oldest_undelivered_at", title="oldest undelivered", is_age=True, is_optional=True),
    Column(key="status_waits_for", title="status waits for", is_optional=True),
    Column(key="stopped_because", title="stopped because", is_optional=True),
    Column(key="paused_at", title="paused", is_age=True, is_optional=True),
    Column(key="paused_by", title="by", is_optional=True),
    Column(key="pause_reason", title="because", is_optional=True),
)
_FEEDS = (
    Column(key="connection", title="connection"),
    Column(key="feed", title="feed"),
    Column(key="moved_at", title="last moved", is_age=True),
)
_WEBHOOKS = (
    Column(key="connection", title="connection"),
    Column(key="state", title="webhook"),
    Column(key="faults", title="faults", is_optional=True),
    Column(key="since", title="since", is_age=True),
    Column(key="seen_at", title="last looked", is_age=True),
    Column(key="missed", title="missed", is_number=True),
    Column(key="missed_at", title="last missed", is_age=True, is_optional=True),
)
_CONNECTIONS = (
    Column(key="connection", title="connection"),
    Column(key="state", title="state"),
    Column(key="since", title="since"),
    Column(key="last_error", title="last error", is_optional=True),
    Column(key="refused", title="refused", is_number=True),
    Column(key="paused_seconds", title="waits for its quota, s", is_number=True),
)
_STALE = (
    PAIR,
    LINK,
    *TICKETS,
    Column(key="ball", title="ball"),
    Column(key="waiting_since", title="customer asked", is_age=True),
)


def status(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale", help="Instead: open pairs whose customer waits for a public answer."
        ),
    ] = False,
    link: LinkOption = None,
    fail: Annotated[
        bool, typer.Option("--fail", help="End with 1 when a pair or a link is stopped or paused.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show each link: its pairs, what waits, what is parked, who has the ball.

    `waiting` counts pairs with changes still to be delivered, `sent` writes whose answer is not
    recorded yet, `importing` those of them whose comments the desk's feed has still to name, `ball`
    who must act next, `status waits for` the fields that a desk wants filled in before it takes a
    status, `missed` changes that polling found and no webhook announced. Where the daemon runs,
    `refused` counts since its start how often a desk answered 429. With `--stale`, whoever waited
    longest comes first.
    """
    found = opening.outline(config)
    asked = opening.require_link(link, found)
    if stale:
        rows = asyncio.run(_stale(found, asked))
        nobody = "No customer waits for an answer."
        sheet = Sheet(key="stale", title="", columns=_STALE, rows=_waiting(rows), none=nobody)
        show(Report(sheets=(sheet,)), form, now=opening.now())
        return
    summaries, feeds, refused, webhooks = asyncio.run(_overview(found))
    links = [
        {**row, "status_waits_for": _wanted(row["link"], refused)}
        for row in _links(summaries, found, asked)
    ]
    sheets = (
        Sheet(key="links", title="", columns=_LINKS, rows=links, none="No links."),
        Sheet(key="feeds", title="", columns=_FEEDS, rows=_feeds(feeds), none="No feed read yet."),
        Sheet(key="webhooks", title="", columns=_WEBHOOKS, rows=_webhooks(webhooks)),
        _connections(found.listen),
    )
    is_stopped = any(row["parked"] or row["stopped_because"] or row["paused_at"] for row in links)
    notes = ["`syncd parked` says what stopped and what to do."] if is_stopped else []
    if any(webhook.faults for webhook in webhooks):
        notes.append("`syncd webhooks show` says what is wrong with a webhook and what to do.")
    show(Report(sheets=sheets, notes=tuple(notes)), form, now=opening.now())
    if fail and is_stopped:
        raise typer.Exit(ExitCode.ATTENTION)


async def _stale(found: opening.Outline, link: LinkName | None) -> Sequence[StaleRow]:
    async with opening.reading(found.store) as store:
        return await store.stale(link=link)


async def _overview(
    found: opening.Outline,
) -> tuple[
    Sequence[LinkSummary], Sequence[FeedSummary], Sequence[RefusedRow], Sequence[WebhookSummary]
]:
    async with opening.reading(found.store) as store:
        summaries, feeds = await store.summaries(), await store.feeds()
        return summaries, feeds, await store.refused(), await store.webhooks()


def _connections(listen: str) -> Sheet:
    """How each connection does: that is in the daemon's memory alone."""
    from syncd.cli.daemon_word import connection_rows, daemon_word

    word = daemon_word(listen)
    rows = connection_rows(word) if word is not None else []
    silence = f"No daemon answers at {listen}." if word is None else ""
    return Sheet(key="connections", title="", columns=_CONNECTIONS, rows=rows, none=silence)


def _wanted(link: object, refused: Sequence[RefusedRow]) -> str | None:
    """The fields that desks want filled in before they take a status, with how many pairs wait."""
    names = Counter(
        name
        for row in refused
        if row.link == link
        for name in row.refused.lacks or (f"the {row.side}'s desk",)
    )
    return ", ".join(f"{name} ({count})" for name, count in sorted(names.items())) or None


def _links(
    summaries: Sequence[LinkSummary], found: opening.Outline, link: LinkName | None
) -> list[Row]:
    by_name = {summary.link: summary for summary in summaries}
    # A link that left the file still has its pairs; one without pairs is still a link.
    names = [*found.links, *(name for name in by_name if name not in found.links)]
    return [_link(name, by_name.get(name)) for name in names if link in (None, name)]


def _link(name: LinkName, summary: LinkSummary | None) -> Row:
    balls = summary.balls if summary else {}
    pause = summary.pause if summary else None
    return {
        "link": name,
        "pairs": summary.pairs if summary else 0,
        "open": summary.open_pairs if summary else 0,
        "waiting": summary.dirty if summary else 0,
        "sent": summary.sent if summary else 0,
        "importing": (summary.importing or None) if summary else None,
        "parked": summary.parked if summary else 0,
        "ended": summary.ended if summary else 0,
        "conflicts": summary.conflicts if summary else 0,
        **{f"ball_{ball}": balls.get(ball.value, 0) for ball in Ball},
        "oldest_undelivered_at": summary.oldest_dirty_at if summary else None,
        "stopped_because": summary.parked_reason or None if summary else None,
        "paused_at": pause.paused_at if pause else None,
        "paused_by": pause.actor if pause else None,
        "pause_reason": pause.reason if pause else None,
    }


def _feeds(feeds: Sequence[FeedSummary]) -> list[Row]:
    return [
        {"connection": feed.connection, "feed": feed.feed, "moved_at": feed.moved_at}
        for feed in feeds
    ]


def _webhooks(webhooks: Sequence[WebhookSummary]) -> list[Row]:
    return [
        {
            "connection": webhook.connection,
            "state": webhook.state,
            "faults": list(webhook.faults),
            "since": webhook.since,
            "seen_at": webhook.seen_at,
            "missed": webhook.missed_count,
            "missed_at": webhook.missed_at,
        }
        for webhook in webhooks
    ]


def _waiting(rows: Sequence[StaleRow]) -> list[Row]:
    return [
        {
            **pair_cells(row.pair_id, row.link, row.tickets),
            "ball": row.ball,
            "waiting_since": row.waiting_since,
        }
        for row in rows
    ]
