"""What the file may say of a Request Tracker."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.request_tracker.settings import Settings
from syncd.core.model import Status


def settings(**changed: Any) -> Settings:
    given: dict[str, Any] = {
        "kind": "request_tracker",
        "url": "https://rt.example.com",
        "token": "1-41-secret",
        "queues": ["Partner-Acme"],
        "hand_off": {"queue": "Platform"},
    }
    return Settings.model_validate(given | changed)


def test_every_status_of_rts_own_lifecycle_means_something_and_deleted_is_never_written() -> None:
    values = {value.name: value for value in settings().status_values()}
    assert {name: value.meaning for name, value in values.items()} == {
        "open": Status.OPEN,
        "new": Status.OPEN,
        "stalled": Status.WITH_CUSTOMER,
        "resolved": Status.CLOSED,
        "rejected": Status.CLOSED,
        "deleted": Status.CLOSED,
    }
    assert [name for name, value in values.items() if not value.is_writable] == ["deleted"]


def test_the_queue_of_the_hand_off_is_followed_too_and_once() -> None:
    assert settings().followed == ("Partner-Acme", "Platform")
    assert settings(queues=["Platform"]).followed == ("Platform",)
    assert settings(hand_off={"owner": "front-desk"}).followed == ("Partner-Acme",)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"hand_off": {}}, "either"),
        ({"hand_off": {"queue": "Platform", "owner": "mia"}}, "either"),
        ({"statuses": {"open": "open", "done": "closed"}}, "with_customer"),
        (
            {"statuses": {"a": "open", "b": "with_customer", "c": "closed", "deleted": "closed"}},
            "deleted",
        ),
        ({"stamp_field": "Sync}Origin"}, "pattern"),
        ({"queues": []}, "at least 1"),
        ({"at_once": 0}, "greater"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(changed: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        settings(**changed)


def test_nothing_of_a_ticket_is_shown_to_partners_unless_it_is_named() -> None:
    assert settings().metadata == ()
    assert settings().tags_field is None
