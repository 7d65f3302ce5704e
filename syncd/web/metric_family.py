"""The metric families of syncd: name, kind, labels and meaning of each.

docs/metrics.md is written from this list by `python -m syncd.web.metrics_reference`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """One metric; `kind` is gauge, counter or histogram."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    #: What the labels' values can be, for the docs.
    values: str = ""


_LINK = ("link",)
_CONNECTION = ("connection",)
_BUCKET = ("connection", "bucket")
_QUOTAS = "`bucket`: a quota by its desk's name, at most 64 of an account"

_ALL = (
    Family(
        name="syncd_build_info",
        kind="gauge",
        help="Always 1; the label has the version that runs.",
        labels=("version",),
    ),
    Family(
        name="syncd_ready",
        kind="gauge",
        help="1 while the process itself works, as /readyz has it.",
    ),
    Family(
        name="syncd_health_level",
        kind="gauge",
        help="The verdict of syncd status: 0 ok, 1 warning, 2 critical.",
    ),
    Family(
        name="syncd_engine_stuck",
        kind="gauge",
        help="1 while the engine stands still.",
    ),
    Family(
        name="syncd_store_up",
        kind="gauge",
        help="1 while the store can be read; without it no metric of a link is shown.",
    ),
    Family(
        name="syncd_queued_pairs",
        kind="gauge",
        help="Pairs that wait in memory for a worker.",
    ),
    Family(
        name="syncd_runs_total",
        kind="counter",
        help="Runs of pairs since the start, by how they ended.",
        labels=("result",),
        values="`result`: `idle`, `done`, `waiting`, `parked`, `ended`, `crowded`",
    ),
    Family(
        name="syncd_journal_operations_total",
        kind="counter",
        help="Writes since the start, by the state they came into in the journal.",
        labels=("state",),
        values="`state`: `sent`, `done`, `dropped`",
    ),
    Family(
        name="syncd_journal_unanswered",
        kind="gauge",
        help="Writes in the journal whose answer is not recorded.",
        labels=_LINK,
    ),
    Family(
        name="syncd_journal_oldest_unanswered_seconds",
        kind="gauge",
        help="How long ago the oldest of these left; 0 when there is none.",
        labels=_LINK,
    ),
    Family(
        name="syncd_commit_duration_seconds",
        kind="histogram",
        help="How long the store took for a transaction that changed something.",
    ),
    Family(
        name="syncd_sweep_repairs_total",
        kind="counter",
        help="Pairs in which the slow full comparison found what no feed had brought.",
    ),
    Family(
        name="syncd_feed_unreadable_rows_total",
        kind="counter",
        help="Rows of change feeds that were not understood; their tickets are read anew.",
    ),
    Family(
        name="syncd_lag_seconds",
        kind="gauge",
        help="How long the oldest change that a side is owed has been known; 0 for none.",
        labels=("link", "direction"),
        values="`direction`: `to_platform`, `to_partner`",
    ),
    Family(
        name="syncd_delivered_lag_seconds",
        kind="histogram",
        help="How long writes came after the change that caused them was seen; not a backfill's.",
        labels=("link", "direction"),
        values="`direction`: `to_platform`, `to_partner`",
    ),
    Family(
        name="syncd_oldest_undelivered_seconds",
        kind="gauge",
        help="How long a link's oldest undelivered change has been known; 0 for none.",
        labels=_LINK,
    ),
    Family(
        name="syncd_waiting_pairs",
        kind="gauge",
        help="Active pairs with changes that are not delivered.",
        labels=_LINK,
    ),
    Family(
        name="syncd_pairs",
        kind="gauge",
        help="Pairs by state.",
        labels=("link", "state"),
        values="`state`: `active`, `parked`, `ended`",
    ),
    Family(
        name="syncd_parked_pairs",
        kind="gauge",
        help="Pairs that wait for a person, by reason; those that there are.",
        labels=("link", "reason"),
        values="`reason`: as `syncd parked` has it, or `other`",
    ),
    Family(
        name="syncd_conflicts",
        kind="gauge",
        help="Conflicts on record: both sides changed one value.",
        labels=_LINK,
    ),
    Family(
        name="syncd_ball_pairs",
        kind="gauge",
        help="Pairs that go on, by who must act next.",
        labels=("link", "ball"),
        values="`ball`: `partner`, `platform`, `customer`, `nobody`",
    ),
    Family(
        name="syncd_hand_offs",
        kind="gauge",
        help="Hand-offs on record, by the state that they came into.",
        labels=("link", "state"),
        values="`state`: `offered`, `handed` (confirmed by the platform), `withdrawn`, `ended`",
    ),
    Family(
        name="syncd_hand_offs_unconfirmed",
        kind="gauge",
        help="Hand-offs that were offered and that the platform has not confirmed.",
        labels=_LINK,
    ),
    Family(
        name="syncd_hand_off_oldest_unconfirmed_seconds",
        kind="gauge",
        help="How long ago the oldest of these was offered; 0 when there is none.",
        labels=_LINK,
    ),
    Family(
        name="syncd_link_paused",
        kind="gauge",
        help="1 while a person has paused the link.",
        labels=_LINK,
    ),
    Family(
        name="syncd_link_stopped",
        kind="gauge",
        help="1 while syncd has stopped the link, for that reason.",
        labels=("link", "reason"),
        values="`reason`: `leak`, `mass_change`, `other`",
    ),
    Family(
        name="syncd_connection_up",
        kind="gauge",
        help="1 while the desk answers; absent before the first try.",
        labels=_CONNECTION,
    ),
    Family(
        name="syncd_connection_unauthorised",
        kind="gauge",
        help="1 while the desk refuses the credential.",
        labels=_CONNECTION,
    ),
    Family(
        name="syncd_poll_last_success_timestamp_seconds",
        kind="gauge",
        help="When the change feed was last read to its end; absent before the first time.",
        labels=_CONNECTION,
    ),
    Family(
        name="syncd_poll_interval_seconds",
        kind="gauge",
        help="The longest pause that the configuration allows between two polls.",
        labels=_CONNECTION,
    ),
    Family(
        name="syncd_requests_total",
        kind="counter",
        help="Requests to a desk since the start; status none is one without an answer.",
        labels=("connection", "method", "endpoint", "status"),
        values="`endpoint`: the path with `{names}` for ids, at most 96 of a connection, or `other`"
        "; `status`: the usual ones, `1xx` to `5xx` for the rest, `none`",
    ),
    Family(
        name="syncd_quota_limit",
        kind="gauge",
        help="What a quota lets the whole account do in a window.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_quota_share",
        kind="gauge",
        help="What of it syncd may use.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_quota_used",
        kind="gauge",
        help="What of it syncd has used in the present window.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_quota_left",
        kind="gauge",
        help="What the desk last said is left for all; absent where it has not said.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_quota_paused_seconds",
        kind="gauge",
        help="For how long nothing is sent because the desk asked for it.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_quota_refusals_total",
        kind="counter",
        help="How often the desk refused a request for its quota (429) since the start.",
        labels=_BUCKET,
        values=_QUOTAS,
    ),
    Family(
        name="syncd_webhooks_total",
        kind="counter",
        help="Webhooks that came since the start, by what became of them.",
        labels=("connection", "result"),
        values="`result`: `accepted`, `refused` (signature, shape), `postponed`, `failed` (bug)",
    ),
    Family(
        name="syncd_webhook_missed_total",
        kind="counter",
        help="Changes since the start that no webhook announced and polling brought.",
        labels=_CONNECTION,
    ),
    Family(
        name="syncd_webhook_broken",
        kind="gauge",
        help="1 while the webhook at the desk is known to be broken.",
        labels=_CONNECTION,
    ),
)

FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
