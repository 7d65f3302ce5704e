"""The one way in which the API says no: a status, a fixed code, a sentence, and the place at fault.

Sentences are written for a person and never hold text that came in.
"""

from __future__ import annotations

from connectors.sandbox import Reply, json_reply


class Refusal(Exception):
    """A request that is not carried out; nothing was changed."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        version: int | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        # The ticket's version, when that is what does not fit.
        self.version = version
        self.headers = headers

    def reply(self) -> Reply:
        """The answer in the contract's shape."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.field is not None:
            error["field"] = self.field
        if self.version is not None:
            error["version"] = self.version
        return json_reply(self.status, {"error": error}, self.headers)


def bad_request(field: str, message: str) -> Refusal:
    """A parameter out of its range."""
    return Refusal(400, "bad_request", message, field=field)


def not_found() -> Refusal:
    """The same answer for what never was and for what the token may not know of."""
    return Refusal(404, "not_found", "There is no such thing, or this token may not see it.")


def invalid(field: str, message: str, code: str = "invalid") -> Refusal:
    """A body that is understood and refused."""
    return Refusal(422, code, message, field=field)
