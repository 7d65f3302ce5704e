"""Who works at the Zendesk in miniature, which rules run there, and how awkward it is.

Defaults are what a real account does. Every field marked unsettled is a fact that no public source
settles, and has both plays. Fields of plain values can be changed while the sandbox runs, by
`POST /_sandbox/settings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["admin", "agent", "light_agent", "end-user"]

# Requests per minute of a whole account, by plan.
# https://developer.zendesk.com/api-reference/introduction/rate-limits/
PLANS: Final[dict[str, int]] = {
    "support_essential": 10,
    "suite_team": 200,
    "suite_growth": 400,
    "suite_professional": 400,
    "suite_enterprise": 700,
    "suite_enterprise_plus": 2500,
    "high_volume": 2500,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A user of the account; the first group is the default one."""

    name: str
    email: str | None
    role: Role = "end-user"
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    organization: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """A customer's organisation; its tags go onto its people's tickets."""

    name: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomField:
    """A ticket field of the account. Options of a tagger are tags of the ticket as well."""

    field_id: int
    title: str
    kind: Literal["tagger", "text"] = "text"
    options: tuple[str, ...] = ()
    is_required_to_solve: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomStatus:
    """A status of the account's own, beside the one that each category comes with."""

    label: str
    category: Literal["new", "open", "pending", "hold", "solved"]
    is_active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """A business rule that runs after a matching update, under the same audit."""

    title: str
    on: Literal["create", "update"]
    # Only when the update added a public comment written by an agent.
    is_after_public_answer: bool = False
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    set_status: str | None = None
    set_fields: tuple[tuple[int, str], ...] = ()
    # E-mails the requester, if there is an address.
    is_mail: bool = False
    # Leaves tickets with one of these tags alone.
    not_with_tags: tuple[str, ...] = ()
    is_active: bool = True


AREA_FIELD: Final = 33144692240001
RESOLUTION_FIELD: Final = 33144692240002


@dataclass(frozen=True, kw_only=True, slots=True)
class ZendeskSettings:
    """One account."""

    subdomain: str = "acme"
    account_id: int = 10352801
    groups: tuple[str, ...] = ("Support", "Heroku")
    brands: tuple[str, ...] = ("Acme",)
    organizations: tuple[Organization, ...] = (Organization(name="Globex", tags=("vip",)),)
    people: tuple[Person, ...] = (
        Person(name="syncd", email="syncd@acme.test", role="admin", groups=("Heroku",)),
        Person(name="Alice Agent", email="alice@acme.test", role="agent", groups=("Heroku",)),
        Person(name="Bob Agent", email="bob@acme.test", role="agent", groups=("Heroku", "Support")),
        Person(name="Lena Light", email="lena@acme.test", role="light_agent", groups=("Support",)),
        Person(
            name="Carl Customer",
            email="carl@globex.test",
            organization="Globex",
            tags=("beta_tester",),
        ),
    )
    custom_fields: tuple[CustomField, ...] = (
        CustomField(
            field_id=AREA_FIELD,
            title="Product area",
            kind="tagger",
            options=("area_general", "area_billing", "area_database"),
        ),
        CustomField(field_id=RESOLUTION_FIELD, title="Resolution"),
    )
    custom_statuses: tuple[CustomStatus, ...] = ()
    triggers: tuple[Trigger, ...] = (
        Trigger(
            title="Triage new tickets",
            on="create",
            add_tags=("auto_triage",),
            set_fields=((AREA_FIELD, "area_general"),),
        ),
        Trigger(
            title="Mark tickets in conversation",
            on="update",
            is_after_public_answer=True,
            add_tags=("in_conversation",),
        ),
        Trigger(title="Notify requester of received request", on="create", is_mail=True),
        Trigger(
            title="Notify requester of comment update",
            on="update",
            is_after_public_answer=True,
            is_mail=True,
        ),
    )

    # Automations that only a listing shows: nobody waits two days in a sandbox.
    mailing_automations: tuple[str, ...] = ()

    # Credentials of the integration user, the person whose address this is.
    integration_email: str = "syncd@acme.test"
    # Its role, where it shall be another one than it is listed with.
    integration_role: str = ""
    api_token: str = "sandbox-api-token"  # noqa: S105 - a sandbox has no secrets
    oauth_client_id: str = "syncd"
    oauth_client_secret: str = "sandbox-client-secret"  # noqa: S105
    # A refresh token handed out before the story begins; it is rotated on first use.
    oauth_refresh_token: str = "sandbox-refresh-token"  # noqa: S105
    oauth_expires_in_seconds: int = 7200
    # Unsettled: 201 by the OpenAPI file, 200 as others expect.
    oauth_token_status: int = 200

    # Quotas; None where the account's plan decides.
    plan: str = "suite_professional"
    requests_per_minute: int | None = None
    ticket_updates_per_minute: int | None = None
    updates_per_ticket: int = 30
    exports_per_minute: int | None = None
    user_updates_per_second: int = 1
    # Requests per minute that the account's other integrations eat.
    others_per_minute: int = 0
    # Unsettled: recordings of 2023 show no header for the export bucket, newer ones do.
    shows_export_bucket: bool = True
    # "new": ratelimit-*, zendesk-ratelimit-*; "old": rate-limit-*, zendesk-rate-limit-*.
    header_spelling: Literal["new", "old"] = "new"
    # Whether a person's updates take from the ticket-update bucket (they are never refused).
    ui_updates_count: bool = False

    # Rules.
    # Solving an unassigned ticket assigns whoever solves it; False refuses the whole write.
    assigns_on_solve: bool = True
    solve_needs_assignee: bool = True
    # Vendor seconds (scaled) from solved to closed; None leaves solved tickets alone.
    close_solved_after_seconds: float | None = None
    # Unsettled: an update by API whose comment's author is an end user reopens the ticket.
    end_user_author_reopens: bool = True
    # From memory: a merge's source is tagged; unsettled: its comments say what they came from.
    tags_merged: bool = True
    shows_merge_via: bool = True
    max_comments: int = 5000
    max_body_bytes: int = 65536

    # Answers.
    # Triggers run after the answer was built, or before it.
    answers_after_triggers: bool = False
    # Unsettled: whether metadata written with an update can be read again.
    metadata_readable: bool = True
    # Unsettled: the body of a refused safe update.
    conflict_body: Literal["json", "empty"] = "json"
    # Seconds (scaled) before a new ticket shows in GET /tickets, and in the search.
    listing_lag_seconds: float = 0.0
    search_lag_seconds: float = 90.0
    # Closed tickets leave GET /tickets at once, as archived ones do.
    archives_closed: bool = False
    # How long a bulk job stays queued and working, not scaled; 0 runs it at once.
    job_seconds: float = 0.0
    # A bulk job is killed when it has done so many rows; None lets all of them end.
    job_dies_after_rows: int | None = None
    # Making users by a job is off until the account's owner has asked Zendesk for it.
    allows_bulk_users: bool = False
    # No account is known to do so: it shows what syncd does about one.
    bulk_comments_are_public: bool = False
    attachments_need_auth: bool = True
    # Seconds (scaled) until an upload was looked at for malware; negative for never.
    scan_seconds: float = 5.0
    # What the scanner says: what it finds, or that it could not look.
    scan_fails: bool = False
    # Endings of file names that the account refuses, between commas.
    refused_file_types: str = ""
    # Where contents really are: the desk sends whoever asks on to below this address.
    file_host: str = ""

    # Exports.
    withheld_seconds: float = 60.0
    # A younger start time is refused, whatever is really withheld.
    youngest_start_seconds: float = 60.0
    # Rows of one page; the vendor's most, and less only to see pages end.
    export_page_rows: int = 1000
    # Unsettled: whether imported tickets show in the events feed, and fire webhooks.
    import_shows_in_events: bool = True
    import_fires_webhooks: bool = False
    # Unsettled: added_tags and removed_tags beside tags in the events feed.
    tag_children_have_deltas: bool = True
    # Unsettled: `via` in a Change child is an object, or a string.
    child_via_is_object: bool = False
    # An empty page of a time-based export has end_time null, or the start time.
    empty_page_has_end_time: bool = False

    # Webhooks; probabilities from 0 to 1.
    webhook_loss: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_reorder: float = 0.0
    webhook_before_answer: bool = False
    webhook_timeout_seconds: float = 12.0
    # A trigger calls every webhook that is not subscribed to events, after each update of a ticket
    # with this tag that is not by the integration's own user. Nothing in it is escaped.
    trigger_tag: str = ""
    trigger_body: str = (
        '{"syncd": 1, "ticket_id": "{{ticket.id}}", '
        '"updated_at": "{{ticket.updated_at_with_timestamp}}"}'
    )
    # The circuit breaker holds every delivery back, whatever the receiver answers.
    webhook_is_tripped: bool = False
    # Unsettled: whether a ticket's first comment is a comment_added event as well.
    created_sends_comment_added: bool = True

    # Decides every dice throw, so that a run can be repeated.
    seed: int = 0
