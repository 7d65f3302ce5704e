"""What an error carries to whoever has to act on it."""

from __future__ import annotations

from syncd.core.errors import (
    OutcomeUnknown,
    RateLimited,
    Refusal,
    Rejected,
    RemoteError,
    SyncdError,
)
from tests.support.build import AT


def test_an_error_says_whose_desk_what_was_asked_and_what_came_of_it() -> None:
    error = RemoteError(
        "no", connection="acme", action="update ticket", status=500, request_id="r-1", hint="Wait."
    )
    assert str(error) == "acme: update ticket: no (HTTP 500)"
    assert (error.connection, error.action, error.status) == ("acme", "update ticket", 500)
    assert (error.request_id, error.hint) == ("r-1", "Wait.")


def test_without_an_answer_nothing_is_said_of_one() -> None:
    error = OutcomeUnknown("no answer", connection="acme", action="update ticket")
    assert str(error) == "acme: update ticket: no answer"
    assert (error.status, error.request_id) == (None, None)


def test_without_a_hint_of_its_own_an_error_has_its_kinds() -> None:
    error = OutcomeUnknown("no answer", connection="acme", action="update ticket")
    assert error.hint == OutcomeUnknown.default_hint
    assert SyncdError("x").hint == SyncdError.default_hint
    assert SyncdError("x", hint="Do this.").hint == "Do this."


def test_a_limit_says_until_when() -> None:
    error = RateLimited(
        "slower", retry_at=AT, connection="acme", action="read ticket", request_id="r-2"
    )
    assert (error.retry_at, error.status, error.request_id) == (AT, 429, "r-2")
    assert str(error) == "acme: read ticket: slower (HTTP 429)"
    spoken = RateLimited("x", retry_at=AT, connection="acme", action="read", status=503)
    assert (spoken.connection, spoken.action, spoken.status) == ("acme", "read", 503)


def test_a_refusal_says_which_field_and_what_is_lacking() -> None:
    error = Rejected(
        "refused",
        connection="acme",
        action="update ticket",
        status=422,
        request_id="r-3",
        field="status",
        hint="Fill it in.",
        refusal=Refusal.STATUS,
        lacks=("360",),
    )
    assert str(error) == "acme: update ticket: refused (HTTP 422)"
    assert (error.connection, error.action) == ("acme", "update ticket")
    assert (error.field, error.refusal, error.lacks) == ("status", Refusal.STATUS, ("360",))
    assert (error.status, error.request_id, error.hint) == (422, "r-3", "Fill it in.")
    bare = Rejected("refused", connection="acme", action="update ticket")
    assert (bare.field, bare.refusal, bare.lacks) == (None, Refusal.OTHER, ())
    assert bare.hint == Rejected.default_hint
