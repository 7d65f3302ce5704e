"""Refusals in the vendor's words: status, body and headers of everything that is not a success."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sandbox import Reply, json_reply, text_reply
from connectors.zendesk.sandbox.records import Json


class Refusal(Exception):
    """What the desk answers instead of doing it; nothing has changed when it is raised."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def not_found() -> Refusal:
    """The record is not there."""
    return Refusal(json_reply(404, {"error": "RecordNotFound", "description": "Not found"}))


def no_endpoint() -> Refusal:
    """The path is not there."""
    return Refusal(json_reply(404, {"error": "InvalidEndpoint", "description": "Not found"}))


def not_authenticated() -> Refusal:
    """No credentials, or wrong ones."""
    return Refusal(json_reply(401, {"error": "Couldn't authenticate you"}))


def bad_token() -> Refusal:
    """A bearer token that is unknown, revoked or expired."""
    return Refusal(
        json_reply(
            401,
            {
                "error": "invalid_token",
                "error_description": "The access token provided is expired, revoked, malformed"
                " or invalid for other reasons.",
            },
            [("www-authenticate", 'Bearer realm="Web Password"')],
        )
    )


def forbidden() -> Refusal:
    """The user may not do this."""
    message = (
        "You do not have access to this page. Please contact the account owner of this help desk"
    )
    return Refusal(json_reply(403, {"error": {"title": "Forbidden", "message": message}}))


def out_of_scope() -> Refusal:
    """The token may not do this."""
    return Refusal(
        json_reply(
            403,
            {
                "description": "You are missing the following required scopes: write",
                "error": "Forbidden",
            },
        )
    )


def unparseable() -> Refusal:
    """The body is not JSON."""
    body = {"error": "Unprocessable Entity", "message": "Server could not parse JSON"}
    return Refusal(json_reply(422, body))


def invalid_attribute(name: str, why: str) -> Refusal:
    """A parameter of the wrong kind."""
    message = f"You passed an invalid value for the {name} attribute. {why}"
    return Refusal(json_reply(400, {"error": {"title": "Invalid attribute", "message": message}}))


def invalid(details: Json) -> Refusal:
    """A record that breaks a rule; `details` by field, each a list of objects."""
    return Refusal(
        json_reply(
            422,
            {
                "error": "RecordInvalid",
                "description": "Record validation errors",
                "details": details,
            },
        )
    )


def invalid_field(name: str, description: str, error: str | None = None) -> Refusal:
    """A record with one field that breaks a rule."""
    entry = {"description": description} | ({"error": error} if error else {})
    return invalid({name: [entry]})


def suspended(role: str, name: str) -> Refusal:
    """A record in which somebody who is suspended has a part.

    Recorded for requesters: https://github.com/mozilla/sumo/issues/2670
    """
    return invalid_field(role, f"{role.capitalize()}: {name} is suspended.", "UserSuspended")


def conflict(style: str) -> Refusal:
    """A safe update whose stamp is old."""
    if style == "empty":
        return Refusal(text_reply(409, ""))
    return Refusal(
        json_reply(
            409,
            {
                "error": "UpdateConflict",
                "description": "Safe Update prevented the update due to outdated ticket data."
                " Please fetch the latest ticket data and try again.",
            },
        )
    )


def too_many_values(limit: int) -> Refusal:
    """A bulk request beyond its limit."""
    return Refusal(
        json_reply(
            400,
            {
                "error": "TooManyValues",
                "description": f"Parameter  cannot specify more than {limit} values",
                "max_count": limit,
            },
        )
    )


def too_many_jobs(job_ids: Iterable[str], headers: Iterable[tuple[str, str]]) -> Refusal:
    """The account's job queue is full."""
    return Refusal(
        json_reply(
            429,
            {
                "error": "TooManyJobs",
                "description": "Too many jobs are queued or running for this account.",
                "current_job_ids": list(job_ids),
            },
            headers,
        )
    )


def idempotency_mismatch() -> Refusal:
    """An Idempotency-Key used again with another body."""
    return Refusal(
        json_reply(
            400,
            {
                "error": "IdempotentRequestError",
                "description": "Request parameters do not match the previous request"
                " with this idempotency key.",
            },
        )
    )


def too_recent(seconds: float) -> Refusal:
    """An export that asks for the withheld minute."""
    return Refusal(
        json_reply(
            422,
            {
                "error": "StartTimeTooRecent",
                "description": "Too recent start_time. Use a start_time older than"
                f" {seconds:g} seconds",
            },
        )
    )


def too_deep() -> Refusal:
    """Offset paging beyond its end."""
    return Refusal(
        json_reply(
            400,
            {
                "error": "InvalidPaginationDepth",
                "description": "Number of items in response exceeds the limit",
            },
        )
    )
