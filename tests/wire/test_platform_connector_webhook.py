"""A webhook of the platform proves its update only when the right party signed it just now."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.platform.webhook import read_webhook
from connectors.signature import FRESHNESS
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.model import ConnectionName, Sighting, Span
from tests.support.platform_values import comment_json, ticket_json, update_json

SECRET = "a-secret-of-enough-length"
NOW = datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)


def signed(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {
        "platform-webhook-id": "d1",
        "platform-webhook-timestamp": timestamp,
        "platform-webhook-signature": f"v1={digest.hexdigest()}",
    }


def received(
    headers: dict[str, str], body: bytes, *, now: datetime = NOW, secret: str = SECRET
) -> tuple[Sighting, ...]:
    heard = read_webhook(headers, body, secret=secret, connection=ConnectionName("heroku"), now=now)
    return heard.sightings


def a_body(*, ticket_version: int = 7) -> bytes:
    update = update_json(comment=comment_json())
    change = {"position": "9", "ticket": ticket_json(version=ticket_version), "update": update}
    return json.dumps(change).encode()


def test_a_signed_change_proves_its_ticket_and_its_comment() -> None:
    (sighting,) = received(signed(a_body()), a_body())
    assert sighting.ticket is not None
    assert sighting.ticket.fields_as_of == 7
    assert [comment.html for comment in sighting.comments] == ["<p>Hello</p>"]
    assert sighting.covers == Span(after=6, to=7)
    assert not sighting.is_read


def test_a_ticket_that_went_on_widens_nothing() -> None:
    body = a_body(ticket_version=12)
    (sighting,) = received(signed(body), body)
    assert sighting.ticket is not None
    assert sighting.ticket.fields_as_of == 12
    assert sighting.covers == Span(after=6, to=7)


def test_one_changed_byte_is_refused() -> None:
    body = a_body()
    with pytest.raises(Unauthentic):
        received(signed(body), body.replace(b"Hello", b"Hallo"))


def test_another_secret_is_refused() -> None:
    with pytest.raises(Unauthentic):
        received(signed(a_body(), secret="another-secret-of-length"), a_body())


def test_an_empty_secret_authenticates_nobody() -> None:
    with pytest.raises(Unauthentic):
        received(signed(a_body(), secret=""), a_body(), secret="")


@pytest.mark.parametrize("missing", ["platform-webhook-timestamp", "platform-webhook-signature"])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers = signed(a_body())
    del headers[missing]
    with pytest.raises(Unauthentic):
        received(headers, a_body())


@pytest.mark.parametrize("timestamp", ["", "now", "-5", "1" * 5000, "１８", "1.5", " 18"])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    headers = signed(a_body()) | {"platform-webhook-timestamp": timestamp}
    with pytest.raises(Unauthentic):
        received(headers, a_body())


@pytest.mark.parametrize("signature", ["", "v1=", "v2=00", "v1=é", "\udcff", "V1=AB"])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    headers = signed(a_body()) | {"platform-webhook-signature": signature}
    with pytest.raises(Unauthentic):
        received(headers, a_body())


@pytest.mark.parametrize("off", [FRESHNESS, -FRESHNESS, timedelta()])
def test_a_timestamp_within_the_window_is_taken(off: timedelta) -> None:
    assert received(signed(a_body(), at=NOW + off), a_body())


@pytest.mark.parametrize("off", [FRESHNESS, -FRESHNESS])
def test_a_timestamp_outside_the_window_is_refused_though_signed(off: timedelta) -> None:
    beyond = off + timedelta(seconds=1 if off > timedelta() else -1)
    with pytest.raises(Unauthentic) as caught:
        received(signed(a_body(), at=NOW + beyond), a_body())
    assert "NTP" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"position": "1"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"more": ' + b"[" * 100_000,
        a_body().replace(b"Hello", b"H\xffllo"),
        a_body()[:-20],
        a_body().replace(b'"version": 7, "actor"', b'"version": 8, "actor"'),
        a_body().replace(b'"ticket_id": "t1"', b'"ticket_id": "t2"'),
    ],
    ids=[
        "empty",
        "html",
        "list",
        "partial",
        "bytes",
        "deep",
        "deeper",
        "latin",
        "cut",
        "from-the-future",
        "foreign",
    ],
)
def test_a_signed_riddle_is_not_guessed(body: bytes) -> None:
    with pytest.raises(Unintelligible) as caught:
        received(signed(body), body)
    assert "Hello" not in str(caught.value)
