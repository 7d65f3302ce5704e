"""Zendesk's webhooks: whom to believe, and how little a believed one proves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.zendesk.webhook import LARGEST_BODY_BYTES, SIGNATURE, TIMESTAMP, read_webhook
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.model import ConnectionName, End, Sighting, TicketId

SECRET = "the-webhook-secret"
NOW = datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)
BASE = "https://acme.zendesk.com"


def an_envelope(kind: str = "status_changed", **given: Any) -> dict[str, Any]:
    detail = {
        "id": "7",
        "subject": "Slow",
        "status": "PENDING",
        "tags": ["a"],
        "requester_id": "11",
        "actor_id": "21",
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:25Z",
        "is_public": True,
        "description": "private words",
    } | given.pop("detail", {})
    return {
        "type": f"zen:event-type:ticket.{kind}",
        "subject": "zen:ticket:7",
        "time": "2027-01-15T08:00:25.123456000Z",
        "zendesk_event_version": "2022-11-06",
        "detail": detail,
        "event": {"current": "PENDING", "previous": "OPEN"},
    } | given


def signed(
    body: bytes, *, at: str = "2027-01-15T08:00:26Z", secret: str = SECRET
) -> dict[str, str]:
    digest = hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()
    return {TIMESTAMP: at, SIGNATURE: base64.b64encode(digest).decode()}


def read(
    body: bytes, headers: dict[str, str] | None = None, *, now: datetime = NOW, secret: str = SECRET
) -> tuple[Sighting, ...]:
    return read_webhook(
        signed(body) if headers is None else headers,
        body,
        secret=secret,
        connection=ConnectionName("acme"),
        base_url=BASE,
        now=now,
    ).sightings


def seen(envelope: dict[str, Any]) -> Sighting:
    sightings = read(json.dumps(envelope).encode())
    assert len(sightings) == 1
    return sightings[0]


# --- whom to believe -----------------------------------------------------------------------------

BODY = json.dumps(an_envelope()).encode()


def test_a_signed_webhook_is_believed() -> None:
    assert read(BODY)[0].ticket_id == "7"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TIMESTAMP: "2027-01-15T08:00:26Z"},
        {SIGNATURE: signed(BODY)[SIGNATURE]},
        signed(BODY, secret="another"),
        signed(BODY + b" "),
        signed(BODY) | {TIMESTAMP: "2027-01-15T08:00:27Z"},
        signed(BODY) | {SIGNATURE: "\udcff"},
        signed(BODY, at="yesterday"),
        signed(BODY, at=""),
    ],
)
def test_a_webhook_that_nobody_signed_just_so_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthentic):
        read(BODY, headers)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(Unauthentic):
        read(BODY, signed(BODY, secret=""), secret="")


@pytest.mark.parametrize("minutes", [-14, 0, 8, 14])
def test_a_late_delivery_is_believed_for_a_quarter_of_an_hour(minutes: int) -> None:
    at = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert read(BODY, signed(BODY, at=at))


@pytest.mark.parametrize("minutes", [-16, 16, 60 * 24 * 400])
def test_an_old_or_early_signature_is_refused(minutes: int) -> None:
    at = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(Unauthentic):
        read(BODY, signed(BODY, at=at))


def test_a_body_beyond_all_reason_is_refused_unread() -> None:
    body = b" " * (LARGEST_BODY_BYTES + 1)
    with pytest.raises(Unauthentic):
        read(body, signed(body))


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        json.dumps(an_envelope(detail={"id": None})).encode(),
        json.dumps(an_envelope(detail={"updated_at": "soon"})).encode(),
        json.dumps(an_envelope(time="soon")).encode(),
        json.dumps(an_envelope() | {"detail": "text"}).encode(),
    ],
)
def test_a_signed_riddle_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(Unintelligible) as caught:
        read(body)
    assert "private words" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("updated_at", "second"),
    [
        ("2027-01-15T08:00:20Z", 20),
        ("2027-01-15T08:00:20+00:00", 20),
        # Without seconds it may have been any second of that minute.
        ("2027-01-15T08:00Z", 59),
        # Whatever it may be, it was before it was sent.
        ("15 January, 08:00", 26),
        ("", 26),
        (None, 26),
    ],
)
def test_a_triggers_call_tells_that_its_ticket_moved_and_nothing_else(
    updated_at: str | None, second: int
) -> None:
    body = json.dumps({"syncd": 1, "ticket_id": "7", "updated_at": updated_at}).encode()
    moved_at = int(NOW.replace(second=second).timestamp())
    assert read(body) == (Sighting(ticket_id=TicketId("7"), moved_at=moved_at),)


def test_a_triggers_call_is_believed_no_more_easily() -> None:
    body = b'{"syncd": 1, "ticket_id": "7"}'
    with pytest.raises(Unauthentic):
        read(body, signed(body, secret="another"))


@pytest.mark.parametrize("number", ["", "7 or so", "-7", "{{ticket.id}}"])
def test_a_triggers_call_without_a_ticket_is_a_riddle(number: str) -> None:
    with pytest.raises(Unintelligible):
        read(json.dumps({"syncd": 1, "ticket_id": number}).encode())


def test_events_of_other_things_prove_nothing() -> None:
    envelope = an_envelope() | {"type": "zen:event-type:user.created", "detail": {"id": "1"}}
    assert read(json.dumps(envelope).encode()) == ()


# --- what it proves ------------------------------------------------------------------------------


def test_a_webhook_shows_the_fields_and_confirms_none_of_them() -> None:
    ticket = seen(an_envelope()).ticket
    assert ticket is not None
    assert (ticket.subject, ticket.status) == ("Slow", "pending")
    assert ticket.tags == {"a"}
    assert ticket.precondition == "2027-01-15T08:00:25Z"
    assert ticket.requester.person_id == "11"
    assert ticket.requester.name == ""
    assert not ticket.is_confirmed


def test_a_webhook_covers_no_comments_and_is_no_read() -> None:
    sighting = seen(an_envelope())
    assert (sighting.comments, sighting.covers, sighting.is_read) == ((), None, False)


def test_a_status_change_names_its_actor_but_no_update() -> None:
    update = seen(an_envelope()).status_update
    assert update is not None
    assert (update.status, update.update_id, update.actor_id) == ("pending", None, "21")


@pytest.mark.parametrize(
    "envelope",
    [
        an_envelope("tags_changed"),
        an_envelope(event={"current": "SOLVED", "previous": "OPEN"}),
        an_envelope(event={}),
        an_envelope(time="2027-01-15T08:00:20Z"),
    ],
    ids=["other", "overtaken", "unknown", "older"],
)
def test_a_status_that_the_event_did_not_give_is_not_explained(envelope: dict[str, Any]) -> None:
    assert seen(envelope).status_update is None


def test_a_status_change_without_time_or_actor_is_still_one() -> None:
    envelope = an_envelope(detail={"actor_id": None}) | {"time": None}
    update = seen(envelope).status_update
    assert update is not None
    assert update.actor_id is None


def test_a_new_comment_is_hinted_at() -> None:
    comment = {"id": "901", "body": "hello", "is_public": False}
    assert seen(an_envelope("comment_added", event={"comment": comment})).hinted == ("901",)


@pytest.mark.parametrize("event", [{}, {"comment": "901"}, {"comment": {"body": "x"}}])
def test_a_comment_that_is_not_named_is_not_hinted_at(event: dict[str, Any]) -> None:
    assert seen(an_envelope("comment_added", event=event)).hinted == ()


@pytest.mark.parametrize(
    "kind", ["comment_made_private", "comment_redacted", "attachment_redacted_from_comment"]
)
def test_a_mended_comment_is_hinted_at_by_an_id_that_no_comment_has(kind: str) -> None:
    hinted = seen(an_envelope(kind, event={"comment": {"id": "901"}})).hinted
    assert len(hinted) == 1
    assert hinted[0] != "901"
    assert seen(an_envelope(kind, event={})).hinted


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("merged", End.MERGED),
        ("soft_deleted", End.DELETED),
        ("permanently_deleted", End.DELETED),
        ("marked_as_spam", End.SPAM),
        ("undeleted", End.ALIVE),
        ("something_new", End.ALIVE),
    ],
)
def test_an_end_is_told_by_the_event(kind: str, end: End) -> None:
    ticket = seen(an_envelope(kind)).ticket
    assert ticket is not None
    assert ticket.end is end


@pytest.mark.parametrize(
    ("shown", "status", "end"),
    [
        ("DELETED", "deleted", End.DELETED),
        ("SCRUBBED", "deleted", End.DELETED),
        ("ARCHIVED", "closed", End.FINAL),
        ("CLOSED", "closed", End.FINAL),
        ("NEW", "new", End.ALIVE),
    ],
)
def test_a_status_in_capitals_is_the_desks_own_value(shown: str, status: str, end: End) -> None:
    ticket = seen(an_envelope("created", detail={"status": shown})).ticket
    assert ticket is not None
    assert (ticket.status, ticket.end) == (status, end)
