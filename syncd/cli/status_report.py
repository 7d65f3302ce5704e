"""The report of `syncd status`: what is wrong, the links, the connections.

The store tells of links, feeds and webhooks; how connections do, and what is counted as it happens,
is in the daemon's memory, and missing here while none answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.cli.daemon_report import daemon_details, daemon_sheets, store_details
from syncd.cli.daemon_word import connection_figures, connection_rows, daemon_figures
from syncd.cli.pair_columns import LINK
from syncd.cli.report import Cell, Column, Format, Report, Row, Sheet, age
from syncd.core.figures import LinkFigures
from syncd.core.model import Ball, LinkName, Side
from syncd.core.report import FeedSummary, LinkSummary, RefusedRow, WebhookSummary
from syncd.core.verdict import Level, Verdict, judge


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """All that the report is made of, from one moment."""

    now: datetime
    #: The links to tell of, in the file's order.
    names: Sequence[LinkName]
    figures: Mapping[LinkName, LinkFigures]
    summaries: Mapping[LinkName, LinkSummary]
    refused: Sequence[RefusedRow]
    feeds: Sequence[FeedSummary]
    webhooks: Sequence[WebhookSummary]
    #: What the daemon says of itself; None where none answers.
    word: Mapping[str, object] | None
    listen: str

    @property
    def is_stopped(self) -> bool:
        """Whether a person must act before all goes on: on a pair or on a link."""
        told = [self.summaries[name] for name in self.names if name in self.summaries]
        return any(one.parked or one.parked_reason or one.pause for one in told)

    def verdict(self) -> Verdict:
        """The judgement on all of it."""
        return judge(
            now=self.now,
            daemon=None if self.word is None else daemon_figures(self.word),
            connections=connection_figures([] if self.word is None else connection_rows(self.word)),
            links=[figures_of(name, self) for name in self.names],
        )


def status_report(found: Gathered) -> Report:
    """The whole report."""
    verdict = found.verdict()
    details = daemon_details(found.word)
    totals = store_details([figures_of(name, found) for name in found.names], found.now)
    connections = _connections(found)
    sheets = (
        Sheet(key="links", title="", columns=_LINKS, rows=_links(found, verdict), none="No links."),
        Sheet(key="connections", title="", columns=_CONNECTIONS, rows=connections),
        Sheet(key="quotas", title="", columns=_QUOTAS, rows=_quotas(connections), is_told=False),
        Sheet(key="feeds", title="", columns=(), rows=_feeds(found.feeds), is_shown=False),
        Sheet(key="webhooks", title="", columns=(), rows=_webhooks(found.webhooks), is_shown=False),
        *daemon_sheets(details, totals),
        Sheet(key="troubles", title="", columns=_TROUBLES, rows=_troubles(verdict)),
    )
    return Report(
        sheets=sheets,
        facts={"level": verdict.level.name.lower()},
        details={"all_links": totals, "daemon": details or None},
        notes=tuple(_notes(found)),
    )


def figures_of(name: LinkName, found: Gathered) -> LinkFigures:
    """A link's figures; one that the store knows nothing of has none but zeros."""
    return found.figures.get(name) or LinkFigures(link=name)


def lag_seconds(figures: LinkFigures, side: Side, now: datetime) -> int:
    """How long the oldest change that a side is owed has been known; 0 when there is none."""
    since = figures.owed_since.get(side)
    return 0 if since is None else max(int((now - since).total_seconds()), 0)


def _lag(side: Side) -> Column:
    key = f"lag_to_{side.value}_seconds"

    def shown(row: Row) -> str:
        seconds = row.get(key)
        return age(timedelta(seconds=seconds)) if isinstance(seconds, int) and seconds else ""

    return Column(key=key, title=f"lag to {side.value}", show=shown)


def _balls_shown(row: Row) -> str:
    counts = ((ball, row.get(f"ball_{ball}")) for ball in Ball)
    return ", ".join(f"{ball} {count}" for ball, count in counts if count)


def _quotas(connections: Sequence[Row]) -> list[Row]:
    """A row for each quota of each connection; JSON has them within the connection's."""
    return [
        {"connection": row["connection"], **quota}
        for row in connections
        if isinstance(told := row.get("quotas"), list)
        for quota in told
    ]


_LINKS = (
    LINK,
    Column(key="level", title="level"),
    Column(key="pairs", title="pairs", is_number=True),
    Column(key="open", title="open", is_number=True),
    Column(key="waiting", title="waiting", is_number=True),
    _lag(Side.PLATFORM),
    _lag(Side.PARTNER),
    Column(key="sent", title="sent", is_number=True),
    Column(key="importing", title="importing", is_number=True, is_optional=True),
    Column(key="parked", title="parked", is_number=True),
    Column(key="ended", is_number=True, only=Format.CSV),
    Column(key="conflicts", title="conflicts", is_number=True),
    Column(key="unconfirmed", title="hand-offs unconfirmed", is_number=True, is_optional=True),
    *(Column(key=f"ball_{ball}", only=Format.CSV) for ball in Ball),
    Column(key="ball", title="ball", only=Format.TABLE, show=_balls_shown),
    Column(key="oldest_undelivered_at", title="oldest undelivered", is_age=True, is_optional=True),
    Column(key="status_waits_for", title="status waits for", is_optional=True),
    Column(key="stopped_because", title="stopped because", is_optional=True),
    Column(key="paused_at", title="paused", is_age=True, is_optional=True),
    Column(key="paused_by", title="by", is_optional=True),
    Column(key="pause_reason", title="because", is_optional=True),
)
_CONNECTIONS = (
    Column(key="connection", title="connection"),
    Column(key="state", title="state"),
    Column(key="since", title="since", is_age=True, is_optional=True),
    Column(key="last_error", title="last error", is_optional=True),
    Column(key="polled_at", title="last poll", is_age=True, is_optional=True),
    Column(key="feed_moved_at", title="feed moved", is_age=True, is_optional=True),
    Column(key="webhook", title="webhook", is_optional=True),
    Column(key="webhook_faults", title="faults", is_optional=True),
    Column(key="missed", title="missed", is_number=True, is_optional=True),
)
_QUOTAS = (
    Column(key="connection", title="connection"),
    Column(key="bucket", title="quota"),
    Column(key="used", title="used", is_number=True),
    Column(key="ours", title="of ours", is_number=True),
    Column(key="left", title="left for all", is_number=True, is_optional=True),
    Column(key="refused", title="429s", is_number=True),
    Column(key="paused_seconds", title="pause, s", is_number=True),
)
_TROUBLES = (
    Column(key="level", title="level"),
    Column(key="name", title="about", show=lambda row: str(row["name"] or "syncd")),
    Column(key="text", title="trouble"),
)


def _links(found: Gathered, verdict: Verdict) -> list[Row]:
    levels: dict[str, Level] = {}
    for trouble in verdict.troubles:
        if trouble.about == "link":
            levels[trouble.name] = max(levels.get(trouble.name, Level.OK), trouble.level)
    return [_link(name, found, levels.get(name, Level.OK)) for name in found.names]


def _link(name: LinkName, found: Gathered, level: Level) -> Row:
    summary = found.summaries.get(name)
    figures = figures_of(name, found)
    balls = summary.balls if summary else {}
    pause = summary.pause if summary else None
    return {
        "link": name,
        "level": level.name.lower(),
        "pairs": summary.pairs if summary else 0,
        "open": summary.open_pairs if summary else 0,
        "waiting": summary.dirty if summary else 0,
        **{f"lag_to_{side.value}_seconds": lag_seconds(figures, side, found.now) for side in Side},
        "sent": summary.sent if summary else 0,
        "importing": (summary.importing or None) if summary else None,
        "parked": summary.parked if summary else 0,
        "ended": summary.ended if summary else 0,
        "conflicts": summary.conflicts if summary else 0,
        "unconfirmed": figures.unconfirmed or None,
        "hand_offs": dict(figures.hand_offs),
        **{f"ball_{ball}": balls.get(ball.value, 0) for ball in Ball},
        "oldest_undelivered_at": summary.oldest_dirty_at if summary else None,
        "status_waits_for": _wanted(name, found.refused),
        "stopped_because": summary.parked_reason or None if summary else None,
        "paused_at": pause.paused_at if pause else None,
        "paused_by": pause.actor if pause else None,
        "pause_reason": pause.reason if pause else None,
    }


def _wanted(link: LinkName, refused: Sequence[RefusedRow]) -> str | None:
    """The fields that desks want filled in before they take a status, with how many pairs wait."""
    names = Counter(
        name
        for row in refused
        if row.link == link
        for name in row.refused.lacks or (f"the {row.side}'s desk",)
    )
    return ", ".join(f"{name} ({count})" for name, count in sorted(names.items())) or None


def _connections(found: Gathered) -> list[Row]:
    """All that anybody knows of; without a daemon what the store remembers."""
    told = {} if found.word is None else {r["connection"]: r for r in connection_rows(found.word)}
    feeds = {feed.connection: feed for feed in found.feeds}
    hooks = {hook.connection: hook for hook in found.webhooks}
    rows: list[Row] = []
    for name in sorted({*map(str, told), *feeds, *hooks}):
        row: dict[str, Cell] = {"connection": name, "state": "", **told.get(name, {})}
        feed, hook = feeds.get(name), hooks.get(name)  # type: ignore[call-overload]
        row["feed_moved_at"] = feed.moved_at if feed else None
        if hook is not None:
            row["webhook"] = hook.state
            row["webhook_faults"] = list(hook.faults)
            row["missed"] = hook.missed_count
        rows.append(row)
    return rows


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


def _troubles(verdict: Verdict) -> list[Row]:
    return [
        {
            "level": trouble.level.name.lower(),
            "about": trouble.about.value,
            "name": trouble.name,
            "kind": trouble.kind,
            "text": trouble.text,
        }
        for trouble in verdict.troubles
    ]


def _notes(found: Gathered) -> list[str]:
    notes = []
    if found.word is None:
        notes.append(
            f"No daemon answers at {found.listen}."
            " What only it knows is not shown: connections, requests, commits."
        )
    if found.is_stopped:
        notes.append("`syncd parked` says what stopped and what to do.")
    if any(webhook.faults for webhook in found.webhooks):
        notes.append("`syncd webhooks show` says what is wrong with a webhook and what to do.")
    return notes
