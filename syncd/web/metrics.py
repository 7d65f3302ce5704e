"""`/metrics`: what syncd counts, in the words of Prometheus.

Every family is declared here once: the page, the docs and the alert rules' tests read the same
list. State is read when it is asked for; what can only be counted as it happens is counted here.
Whatever desks and strangers send, the number of series stays bounded: an endpoint is a connector's
template and never an address, and what no list of ours knows is `other`.
Nothing is put into the library's global registry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from syncd.core.figures import (
    OTHER,
    PARK_REASONS,
    STOP_REASONS,
    ConnectionFigures,
    ConnectionState,
    LinkFigures,
)
from syncd.core.model import Ball, ConnectionName, LinkName, Side
from syncd.core.verdict import Verdict
from syncd.quota import BucketFigures
from syncd.web.label import Routes, bucket_label, status_label
from syncd.web.metric_family import FAMILIES, Family

CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4
#: A commit is one flush of a disk: a millisecond on a good one, seconds on one that is failing.
_COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: From a webhook that is carried on at once to what has waited for a desk for half a day.
_DELIVERY_SECONDS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 43200.0)
_HAND_OFFS = ("offered", "handed", "withdrawn", "ended")
_JOURNAL = ("sent", "done", "dropped")
_RUNS = ("idle", "done", "waiting", "parked", "ended", "crowded")
_WEBHOOKS = ("accepted", "refused", "postponed", "failed")

Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """All that one scrape shows, besides what is counted as it happens."""

    now: datetime
    version: str
    verdict: Verdict
    #: None where the store did not answer.
    links: Sequence[LinkFigures] | None = ()
    connections: Sequence[ConnectionFigures] = ()
    budgets: Mapping[ConnectionName, Sequence[BucketFigures]] = field(default_factory=dict)
    #: Pairs that wait in memory for a worker.
    queue: int = 0
    #: What happened since the start, by name.
    counts: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """Counts what happens, and writes the page; one for each set of parts."""

    def __init__(
        self, connections: Iterable[ConnectionName], links: Iterable[LinkName] = ()
    ) -> None:
        self._routes = {str(name): Routes() for name in connections}
        self._requests: Counter[Labels] = Counter()
        self._webhooks: Counter[Labels] = Counter(
            {(name, result): 0 for name in self._routes for result in _WEBHOOKS}
        )
        self._commits = Histogram(
            "syncd_commit_duration_seconds",
            FAMILIES["syncd_commit_duration_seconds"].help,
            buckets=_COMMIT_SECONDS,
            registry=None,
        )
        deliveries = FAMILIES["syncd_delivered_lag_seconds"]
        self._deliveries = Histogram(
            deliveries.name,
            deliveries.help,
            deliveries.labels,
            buckets=_DELIVERY_SECONDS,
            registry=None,
        )
        self._delivery = {
            (link, side): self._deliveries.labels(link, f"to_{side.value}")
            for link in links
            for side in Side
        }

    def requested(
        self, *, connection: str, template: str, method: str, status: int | None, seconds: float
    ) -> None:
        """A request to a desk ended; `status` is None where no answer came."""
        del seconds
        routes = self._routes.get(connection)
        if routes is not None:
            method, endpoint = routes.label(method, template)
            self._requests[connection, method, endpoint, status_label(status)] += 1

    def webhook(self, connection: ConnectionName, result: str) -> None:
        """A webhook of a connection was accepted, refused, postponed, or failed for a bug."""
        if connection in self._routes and result in _WEBHOOKS:
            self._webhooks[connection, result] += 1

    def committed(self, seconds: float) -> None:
        """The store committed; may be called from any thread."""
        self._commits.observe(seconds)

    def delivered(self, link: LinkName, to: Side, seconds: float) -> None:
        """A change reached a side so long after it was seen on the other one."""
        if (link, to) in self._delivery:
            self._delivery[link, to].observe(seconds)

    def tally(self) -> Mapping[str, object]:
        """What was counted since the start as it happened, for `/healthz`.

        `requests` by connection, then method and endpoint, then status; `received` are webhooks by
        connection and result; `commits` has their count, their seconds, and how many of them took
        no longer than so many seconds.
        """
        requests: dict[str, dict[str, dict[str, int]]] = {}
        for (connection, method, endpoint, status), count in sorted(self._requests.items()):
            routes = requests.setdefault(connection, {})
            routes.setdefault(f"{method} {endpoint}", {})[status] = count
        received: dict[str, dict[str, int]] = {}
        for (connection, result), count in sorted(self._webhooks.items()):
            received.setdefault(connection, {})[result] = count
        return {"requests": requests, "received": received, "commits": _durations(self._commits)}

    def render(self, page: Page) -> bytes:
        """The page in Prometheus' text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Once(self._families(page)))
        ProcessCollector(registry=registry)
        return prometheus_client.generate_latest(registry)

    def _families(self, page: Page) -> Iterator[Metric]:
        yield from _process(page)
        yield from _connections(page)
        yield from _budgets(page)
        if page.links is not None:
            yield from _links(page.links, page.now)
        yield from _without_creation(self._commits.collect())
        yield from _without_creation(self._deliveries.collect())
        yield _family("syncd_requests_total", self._requests.items())
        yield _family("syncd_webhooks_total", self._webhooks.items())


class _Once(Collector):
    """Families that were made for one scrape."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families

    def describe(self) -> Iterable[Metric]:
        return ()


def _durations(histogram: Histogram) -> Mapping[str, object]:
    within: dict[str, int] = {}
    rest: dict[str, float] = {}
    for family in histogram.collect():
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                within[sample.labels["le"]] = round(sample.value)
            else:
                rest[sample.name.rpartition("_")[2]] = sample.value
    return {"count": round(rest["count"]), "seconds": round(rest["sum"], 6), "within": within}


def _without_creation(families: Iterable[Metric]) -> Iterator[Metric]:
    """A series more that tells when counting began: the process' own start says it already."""
    for family in families:
        family.samples = [each for each in family.samples if not each.name.endswith("_created")]
        yield family


def _family(name: str, samples: Samples) -> Metric:
    family: Family = FAMILIES[name]
    if family.kind == "counter":
        counter = CounterMetricFamily(name, family.help, labels=family.labels)
        for labels, value in sorted(samples):
            counter.add_metric(labels, value)
        return counter
    gauge = GaugeMetricFamily(name, family.help, labels=family.labels)
    for labels, value in sorted(samples):
        gauge.add_metric(labels, value)
    return gauge


def _alone(name: str, value: float) -> Metric:
    return _family(name, [((), value)])


def _process(page: Page) -> Iterator[Metric]:
    counts = page.counts
    yield _family("syncd_build_info", [((page.version,), 1)])
    yield _alone("syncd_ready", page.verdict.is_ready)
    yield _alone("syncd_health_level", page.verdict.level)
    is_stuck = any(trouble.kind == "stuck" for trouble in page.verdict.troubles)
    yield _alone("syncd_engine_stuck", is_stuck)
    yield _alone("syncd_store_up", page.links is not None)
    yield _alone("syncd_queued_pairs", page.queue)
    yield _family("syncd_runs_total", [((each,), counts.get(f"run.{each}", 0)) for each in _RUNS])
    journal = [((each,), counts.get(f"journal.{each}", 0)) for each in _JOURNAL]
    yield _family("syncd_journal_operations_total", journal)
    yield _alone("syncd_sweep_repairs_total", counts.get("sweep.repaired", 0))
    yield _alone("syncd_feed_unreadable_rows_total", counts.get("feed.unreadable", 0))


def _connections(page: Page) -> Iterator[Metric]:
    figures = page.connections
    tried = [one for one in figures if one.state is not ConnectionState.UNTRIED]
    yield _family(
        "syncd_connection_up",
        [((one.connection,), one.state is ConnectionState.UP) for one in tried],
    )
    yield _family(
        "syncd_connection_unauthorised",
        [((one.connection,), one.state is ConnectionState.UNAUTHORISED) for one in figures],
    )
    yield _family(
        "syncd_poll_last_success_timestamp_seconds",
        [
            ((one.connection,), one.polled_at.timestamp())
            for one in figures
            if one.polled_at is not None
        ],
    )
    yield _family(
        "syncd_poll_interval_seconds", [((one.connection,), one.poll_seconds) for one in figures]
    )
    watched = [one for one in figures if one.webhook_state]
    yield _family(
        "syncd_webhook_broken",
        [((one.connection,), one.webhook_state == "broken") for one in watched],
    )
    yield _family(
        "syncd_webhook_missed_total", [((one.connection,), one.missed) for one in watched]
    )


def _budgets(page: Page) -> Iterator[Metric]:
    found: dict[str, Counter[Labels]] = {
        name: Counter()
        for name in (
            "syncd_quota_limit",
            "syncd_quota_share",
            "syncd_quota_used",
            "syncd_quota_left",
            "syncd_quota_paused_seconds",
            "syncd_quota_refusals_total",
        )
    }
    for connection, buckets in page.budgets.items():
        for figures in buckets:
            labels = (connection, bucket_label(figures.bucket))
            found["syncd_quota_limit"][labels] += figures.limit
            found["syncd_quota_share"][labels] += figures.ours
            found["syncd_quota_used"][labels] += figures.used
            found["syncd_quota_refusals_total"][labels] += figures.refused_count
            found["syncd_quota_paused_seconds"][labels] += round(figures.paused_seconds)
            if figures.left is not None:
                found["syncd_quota_left"][labels] += figures.left
    for name, samples in found.items():
        yield _family(name, samples.items())


def _links(links: Sequence[LinkFigures], now: datetime) -> Iterator[Metric]:
    def age(since: datetime | None) -> float:
        return 0.0 if since is None else max((now - since).total_seconds(), 0.0)

    yield _family(
        "syncd_lag_seconds",
        [
            ((one.link, f"to_{side.value}"), age(one.owed_since.get(side)))
            for one in links
            for side in Side
        ],
    )
    plain: Mapping[str, Samples] = {
        "syncd_oldest_undelivered_seconds": [((o.link,), age(o.waiting_since)) for o in links],
        "syncd_waiting_pairs": [((o.link,), o.waiting) for o in links],
        "syncd_conflicts": [((o.link,), o.conflicts) for o in links],
        "syncd_journal_unanswered": [((o.link,), o.sent) for o in links],
        "syncd_journal_oldest_unanswered_seconds": [((o.link,), age(o.sent_since)) for o in links],
        "syncd_hand_offs_unconfirmed": [((o.link,), o.unconfirmed) for o in links],
        "syncd_hand_off_oldest_unconfirmed_seconds": [
            ((o.link,), age(o.unconfirmed_since)) for o in links
        ],
        "syncd_link_paused": [((o.link,), o.is_paused) for o in links],
    }
    for name, samples in plain.items():
        yield _family(name, samples)
    yield _family("syncd_pairs", _by(links, "pairs", ("active", "parked", "ended")))
    yield _family("syncd_parked_pairs", _parked(links))
    yield _family("syncd_ball_pairs", _by(links, "balls", tuple(ball.value for ball in Ball)))
    yield _family("syncd_hand_offs", _by(links, "hand_offs", _HAND_OFFS))
    yield _family(
        "syncd_link_stopped",
        [
            ((one.link, reason), reason == _known(one.stopped_because, STOP_REASONS))
            for one in links
            for reason in (*sorted(STOP_REASONS), OTHER)
        ],
    )


def _by(links: Sequence[LinkFigures], name: str, words: Sequence[str]) -> Samples:
    for one in links:
        counts: Mapping[str, int] = getattr(one, name)
        for word in words:
            yield (one.link, word), counts.get(word, 0)


def _parked(links: Sequence[LinkFigures]) -> Samples:
    """The reasons that there are; all of them for every link would be a long page of zeros."""
    counted: Counter[Labels] = Counter()
    for one in links:
        for reason, count in one.parked.items():
            counted[one.link, _known(reason, PARK_REASONS)] += count
    return counted.items()


def _known(reason: str, reasons: frozenset[str]) -> str:
    return reason if not reason or reason in reasons else OTHER
