"""Whether the secrets are where the file says, usable, and each of one use.

No fact holds a secret, nor anything that it could be guessed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well


class Flaw(StrEnum):
    """What is wrong with one secret."""

    MISSING = "missing"
    #: Empty, no text, or with a line break inside.
    UNUSABLE = "unusable"
    BLANK_EDGE = "blank_edge"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretFacts:
    """One reference of the file, such as `${credential:acme}`."""

    #: Where in the file: `connections.acme.token`.
    key: str
    #: In words: `environment variable ACME`, `file acme-secret`.
    source: str
    #: The file that it is in; empty where it is in none.
    path: str = ""
    flaw: Flaw | None = None


_MESSAGES = {
    Flaw.MISSING: "is not there, or cannot be read",
    Flaw.UNUSABLE: "is empty, not text, or of several lines",
    Flaw.BLANK_EDGE: "begins or ends with a blank",
}


def judge_secrets(
    secrets: Sequence[SecretFacts], shared: Sequence[Sequence[str]]
) -> Iterator[Diagnosis]:
    """A line for each flaw, and for each set of keys in `shared` that hold the same secret."""
    flawed = [one for one in secrets if one.flaw is not None]
    for one in flawed:
        message = f"{one.source} {_MESSAGES[one.flaw or Flaw.MISSING]}"
        yield ill(f"secret.{one.flaw}", Check.SECRET, message, subject=one.key)
    for keys in shared:
        yield ill(
            "secret.shared", Check.SECRET, "the same secret as " + _rest(keys), subject=keys[0]
        )
    if secrets and not flawed and not shared:
        yield well(Check.SECRET, f"{len(secrets)} are where the file says, and usable")


def _rest(keys: Sequence[str]) -> str:
    return ", ".join(keys[1:])
