"""The page of `/metrics`: true, as Prometheus wants it, and bounded whatever desks send."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from syncd.core.figures import ConnectionFigures, ConnectionState, LinkFigures
from syncd.core.model import ConnectionName, LinkName, Side
from syncd.core.verdict import About, Level, Trouble, Verdict
from syncd.quota import BucketFigures
from syncd.web.label import MOST_ROUTES
from syncd.web.metric_family import FAMILIES
from syncd.web.metrics import Metrics, Page
from tests.support.build import AT
from tests.support.promtool import NEEDS_PROMTOOL, promtool

ACME, HEROKU = ConnectionName("acme"), ConnectionName("heroku")
LINK = LinkName("acme-postgres")
WELL = Verdict(level=Level.OK)


def a_link() -> LinkFigures:
    """One in which everything is the case."""
    return LinkFigures(
        link=LINK,
        pairs={"active": 7, "parked": 3, "ended": 2},
        waiting=2,
        waiting_since=AT - timedelta(seconds=90),
        owed_since={Side.PARTNER: AT - timedelta(seconds=90)},
        sent=1,
        sent_since=AT - timedelta(seconds=5),
        parked={"refused": 1, "bug": 2},
        conflicts=4,
        balls={"partner": 3, "customer": 4},
        hand_offs={"offered": 2, "handed": 1},
        unconfirmed=1,
        unconfirmed_since=AT - timedelta(minutes=20),
        stopped_because="leak",
        is_paused=True,
    )


def a_page(*links: LinkFigures, **changes: object) -> Page:
    figures = ConnectionFigures(
        connection=ACME,
        state=ConnectionState.UP,
        since=AT,
        polled_at=AT - timedelta(seconds=3),
        poll_seconds=10,
        webhook_state="broken",
        webhook_faults=("disabled",),
        missed=6,
    )
    values: dict[str, object] = {
        "now": AT,
        "version": "9.9",
        "verdict": WELL,
        "links": links or (a_link(),),
        "connections": (figures, ConnectionFigures(connection=HEROKU)),
        "budgets": {ACME: (a_bucket(),)},
        "queue": 5,
        "counts": {"run.done": 8, "journal.sent": 9, "sweep.repaired": 1},
    }
    return Page(**{**values, **changes})  # type: ignore[arg-type]


def a_bucket(name: str = "account", *, left: int | None = 640) -> BucketFigures:
    return BucketFigures(
        bucket=name, limit=700, ours=420, used=60, left=left, paused_seconds=0.0, refused_count=2
    )


def samples(page: bytes) -> Iterator[Sample]:
    for family in text_string_to_metric_families(page.decode()):
        yield from family.samples


def value(page: bytes, name: str, **labels: str) -> float | None:
    found = [s.value for s in samples(page) if s.name == name and s.labels == labels]
    assert len(found) <= 1
    return found[0] if found else None


def busy() -> Metrics:
    metrics = Metrics([ACME, HEROKU], [LINK])
    metrics.delivered(LINK, Side.PARTNER, 3)
    for status in (200, 429, None):
        metrics.requested(
            connection=ACME, template="/api/v2/tickets/{id}", method="GET", status=status, seconds=1
        )
    metrics.webhook(ACME, "accepted")
    metrics.committed(0.002)
    return metrics


@NEEDS_PROMTOOL
def test_promtool_finds_nothing_to_say_about_the_page() -> None:
    assert promtool("check", "metrics", page=busy().render(a_page())) == (0, "")


def test_every_family_is_on_the_page_and_every_name_on_the_page_is_a_family() -> None:
    page = busy().render(a_page())
    told = {
        line.split()[2]: line.split(maxsplit=3)[3]
        for line in page.decode().splitlines()
        if line.startswith("# HELP syncd_")
    }
    assert told == {name: family.help for name, family in FAMILIES.items()}
    kinds = {
        line.split()[2]: line.split()[3]
        for line in page.decode().splitlines()
        if line.startswith("# TYPE syncd_")
    }
    assert kinds == {name: family.kind for name, family in FAMILIES.items()}


def test_the_process_own_figures_are_on_the_page() -> None:
    page = busy().render(a_page())
    for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "start_time_seconds"):
        assert (value(page, f"process_{name}") or 0) > 0


def test_every_sample_has_the_labels_of_its_family() -> None:
    wrong = [
        sample
        for sample in samples(busy().render(a_page()))
        if (family := FAMILIES.get(sample.name)) is not None
        and tuple(sample.labels) != family.labels
        and set(sample.labels) != set(family.labels)
    ]
    assert wrong == []


def test_a_link_is_told_in_all_its_figures() -> None:
    page = busy().render(a_page())
    link = {"link": LINK}
    assert value(page, "syncd_lag_seconds", **link, direction="to_partner") == 90
    assert value(page, "syncd_lag_seconds", **link, direction="to_platform") == 0
    assert value(page, "syncd_oldest_undelivered_seconds", **link) == 90
    assert value(page, "syncd_parked_pairs", **link, reason="bug") == 2
    assert value(page, "syncd_ball_pairs", **link, ball="customer") == 4
    assert value(page, "syncd_hand_offs", **link, state="handed") == 1
    assert value(page, "syncd_hand_off_oldest_unconfirmed_seconds", **link) == 1200
    assert value(page, "syncd_link_stopped", **link, reason="leak") == 1
    assert value(page, "syncd_link_stopped", **link, reason="mass_change") == 0
    assert value(page, "syncd_journal_unanswered", **link) == 1


def test_a_connection_is_told_with_requests_quotas_and_webhooks() -> None:
    page = busy().render(a_page())
    route = {"connection": ACME, "method": "GET", "endpoint": "/api/v2/tickets/{id}"}
    assert value(page, "syncd_requests_total", **route, status="429") == 1
    assert value(page, "syncd_requests_total", **route, status="none") == 1
    assert value(page, "syncd_connection_up", connection=ACME) == 1
    assert value(page, "syncd_connection_up", connection=HEROKU) is None
    bucket = {"connection": ACME, "bucket": "account"}
    assert value(page, "syncd_quota_used", **bucket) == 60
    assert value(page, "syncd_quota_left", **bucket) == 640
    assert value(page, "syncd_quota_refusals_total", **bucket) == 2
    assert value(page, "syncd_webhooks_total", connection=ACME, result="accepted") == 1
    assert value(page, "syncd_webhook_missed_total", connection=ACME) == 6
    assert value(page, "syncd_webhook_broken", connection=ACME) == 1
    polled_at = value(page, "syncd_poll_last_success_timestamp_seconds", connection=ACME)
    assert polled_at == (AT - timedelta(seconds=3)).timestamp()
    assert value(page, "syncd_commit_duration_seconds_count") == 1


def test_the_verdict_is_told_as_numbers() -> None:
    stuck = Trouble(level=Level.CRITICAL, about=About.DAEMON, kind="stuck", text="it stands still")
    verdict = Verdict(level=Level.CRITICAL, troubles=(stuck,))
    page = busy().render(a_page(verdict=verdict))
    assert value(page, "syncd_ready") == 0
    assert value(page, "syncd_health_level") == 2
    assert value(page, "syncd_engine_stuck") == 1


def test_without_the_store_the_page_says_so_and_has_the_rest() -> None:
    page = busy().render(a_page(links=None))
    assert value(page, "syncd_store_up") == 0
    assert value(page, "syncd_pairs", link=LINK, state="active") is None
    assert value(page, "syncd_queued_pairs") == 5


def test_a_bucket_that_has_not_been_told_has_no_left() -> None:
    page = busy().render(a_page(budgets={ACME: (a_bucket(left=None),)}))
    assert value(page, "syncd_quota_left", connection=ACME, bucket="account") is None


def test_the_global_registry_stays_as_it_is() -> None:
    busy().render(a_page())
    shown = prometheus_client.generate_latest(prometheus_client.REGISTRY)
    assert b"syncd_" not in shown


TEXT = st.text(max_size=40)


@given(
    templates=st.lists(TEXT, max_size=30),
    methods=st.lists(TEXT, max_size=5),
    statuses=st.lists(st.integers(-(2**31), 2**31), max_size=20),
    names=st.lists(TEXT, max_size=10),
)
def test_hostile_words_make_no_page_that_cannot_be_read(
    templates: list[str], methods: list[str], statuses: list[int], names: list[str]
) -> None:
    metrics = Metrics([ACME])
    for method in [*methods, "GET"]:
        for template in templates:
            for status in [*statuses, None]:
                metrics.requested(
                    connection=ACME, template=template, method=method, status=status, seconds=1
                )
    for name in names:
        metrics.requested(connection=name, template="/x", method="GET", status=200, seconds=1)
        metrics.webhook(ConnectionName(name), "accepted")
        metrics.webhook(ACME, name)
    link = LinkFigures(link=LINK, parked=dict.fromkeys(names, 1), stopped_because="".join(names))
    buckets = tuple(a_bucket(name) for name in names)
    page = metrics.render(a_page(link, budgets={ACME: buckets}))
    found = [s for s in samples(page) if s.name == "syncd_requests_total"]
    assert {s.labels["connection"] for s in found} <= {ACME}
    if names:
        counted = [s for s in samples(page) if s.name == "syncd_parked_pairs"]
        assert sum(s.value for s in counted) == len(set(names))


@pytest.mark.parametrize(
    "template",
    [
        "/tickets/{n}?token=secret-{n}",
        "/tickets/ticket-{n}",
        "/tickets/{n}",
        "https://evil.example/{n}",
        "/Kunde hätte gern {n}",
    ],
)
def test_a_connector_that_puts_ids_into_its_templates_makes_few_series(template: str) -> None:
    metrics = Metrics([ACME])
    for number in range(10_000):
        metrics.requested(
            connection=ACME,
            template=template.replace("{n}", str(number)),
            method="GET",
            status=100 + number % 900,
            seconds=1,
        )
    page = metrics.render(a_page())
    found = [s for s in samples(page) if s.name == "syncd_requests_total"]
    assert sum(s.value for s in found) == 10_000
    assert len({s.labels["endpoint"] for s in found}) <= MOST_ROUTES + 1
    assert len({s.labels["status"] for s in found}) <= 30
    assert "secret" not in page.decode()
    assert "Kunde" not in page.decode()


def test_a_desk_with_made_up_answers_and_quotas_makes_few_series() -> None:
    metrics = Metrics([ACME])
    for status in range(-10, 10_000):
        metrics.requested(connection=ACME, template="/me", method="GET", status=status, seconds=0.1)
    hostile = tuple(a_bucket(f"Bucket {n}\n") for n in range(64))
    page = metrics.render(a_page(budgets={ACME: hostile}))
    assert len([s for s in samples(page) if s.name == "syncd_requests_total"]) <= 30
    assert value(page, "syncd_quota_limit", connection=ACME, bucket="other") == 64 * 700


def test_strangers_make_no_connection() -> None:
    metrics = Metrics([ACME])
    before = metrics.render(a_page()).count(b"\n")
    for number in range(100):
        stranger = ConnectionName(f"stranger-{number}")
        metrics.webhook(stranger, "refused")
        metrics.requested(connection=stranger, template="/", method="GET", status=200, seconds=0.1)
    assert metrics.render(a_page()).count(b"\n") == before


def test_delivered_changes_are_told_of_configured_links_alone_from_the_start() -> None:
    metrics = Metrics([ACME], [LINK])
    name, labels = "syncd_delivered_lag_seconds", {"link": str(LINK), "direction": "to_partner"}
    assert value(metrics.render(a_page()), f"{name}_count", **labels) == 0
    metrics.delivered(LINK, Side.PARTNER, 7.5)
    metrics.delivered(LinkName("gone"), Side.PARTNER, 7.5)
    page = metrics.render(a_page())
    assert value(page, f"{name}_sum", **labels) == 7.5
    assert value(page, f"{name}_bucket", **labels, le="5.0") == 0
    assert value(page, f"{name}_bucket", **labels, le="10.0") == 1
    assert {s.labels["link"] for s in samples(page) if s.name == f"{name}_count"} == {LINK}


def test_what_was_counted_is_told_to_healthz_as_well() -> None:
    metrics = Metrics([ACME], [LINK])
    for status in (200, 200, None):
        metrics.requested(
            connection=ACME, template="/tickets/{id}", method="GET", status=status, seconds=0.1
        )
    metrics.webhook(ACME, "accepted")
    metrics.committed(0.002)
    metrics.committed(20.0)
    told = metrics.tally()
    assert told["requests"] == {"acme": {"GET /tickets/{id}": {"200": 2, "none": 1}}}
    assert told["received"] == {"acme": {"accepted": 1, "refused": 0, "postponed": 0, "failed": 0}}
    commits = told["commits"]
    assert isinstance(commits, dict)
    assert (commits["count"], commits["seconds"]) == (2, 20.002)
    assert (commits["within"]["0.001"], commits["within"]["0.0025"]) == (0, 1)
    assert commits["within"]["+Inf"] == 2
