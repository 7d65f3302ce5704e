"""The page docs/errors.md, written from the errors themselves: it cannot grow old.

`python -m syncd.cli.error_reference > docs/errors.md` writes it anew. When an error comes, and what
a person can do, is said at its class; what syncd does of itself is said here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from syncd.cli.failure import Refused, code_of
from syncd.cli.report import put
from syncd.core import errors
from syncd.core.errors import SyncdError

_INTRODUCTION = """\
# Errors

Written by `python -m syncd.cli.error_reference`; a test compares it with the program.

An error is named for what to do next. In the log its name stands as `reason`, in `syncd status` \
as *last error*, and a command that meets one prints its message, what you can do, and ends with \
the code given here ([all codes](cli.md#exit-codes)).
A message may have better advice than the one below, when it knows what was refused.
Messages hold names, numbers and ids, never a ticket's text, an address or a secret.

Those that only gather others are `SyncdError`, `RemoteError` (a desk did not do what was asked), \
`Transient` (nothing was written; the same may work later) and `StoreError` (the store cannot be \
trusted with the next write).
A message that begins with `a bug in syncd` is none of these: report it as it stands.
"""

#: What the daemon does of itself; `core/reaction.py` is what it obeys.
_BY_ITSELF: dict[type[SyncdError], str] = {
    errors.ConfigError: "Ends; a reload keeps the old configuration in force.",
    errors.Unreachable: "Backs off, up to five minutes, for as long as it takes.",
    errors.RateLimited: "Waits as told, the whole bucket; never counted as a failed try.",
    errors.OutcomeUnknown: "Finds the write before anything else is written to the pair.",
    errors.Stale: "Reads the ticket and plans again, at once the first time, then with growing"
    " pauses.",
    errors.Rejected: "Writes it without the status where only that is refused; else parks the pair"
    " with the desk's reason.",
    errors.UploadSpent: "Gives the file once more, then sends the text without it; the file"
    " follows.",
    errors.Gone: "Parks the pair; never deletes the other copy.",
    errors.Unauthorised: "Lets the connection's pairs wait and blames none; asks again every"
    " minute.",
    errors.Unintelligible: "Tries again, then parks the pair.",
    errors.Unauthentic: "Answers 401, counts it, stores nothing.",
    errors.LeaseLost: "Lets go.",
    errors.StoreTooNew: "Ends.",
    errors.StoreOlder: "Ends, before anything is written.",
    errors.StoreUnavailable: "Ends; nothing is lost.",
    Refused: "Nothing; only commands that people type meet it.",
}


def render() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(_section(error) for error in documented())])


def documented() -> Iterator[type[SyncdError]]:
    """Every error that is raised itself, in the order of the tree."""
    every = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    found = [each for each in every if issubclass(each, SyncdError)]
    groups = {parent for each in found for parent in each.__bases__}
    leaves = [each for each in found if each not in groups]
    yield from sorted(leaves, key=lambda each: inspect.getsourcelines(each)[1])
    yield Refused


def _section(error: type[SyncdError]) -> str:
    code = code_of(error)
    return "\n".join(
        [
            f"## `{error.__name__}`",
            "",
            f"{_when(error)}",
            "",
            f"- **What syncd does:** {_BY_ITSELF[error]}",
            f"- **What you do:** {error.default_hint}",
            f"- **A command ends with** {code.value}.",
            "",
        ]
    )


def _when(error: type[SyncdError]) -> str:
    """The first sentence of its docstring; what follows there is for programmers."""
    text = " ".join((inspect.getdoc(error) or "").split())
    first, stop, _ = text.partition(". ")
    return f"{first}." if stop else text


if __name__ == "__main__":
    put(render())
