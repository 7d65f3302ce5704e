"""What a platform's support system needs to be the platform side of links.

Its HTTP interface is the public contract in docs/platform-api.yaml.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from syncd.core.model import Side, Status
from syncd.settings import BaseUrl, ConnectionSettings, FileHosts, Secret, StatusValue, Text

Meaning = Literal["open", "with_customer", "closed"]


def _covers_all(statuses: dict[str, Meaning]) -> dict[str, Meaning]:
    missing = [status.value for status in Status if status.value not in statuses.values()]
    if missing:
        raise ValueError(f"has no status that means {' or '.join(missing)}")
    return statuses


class Settings(ConnectionSettings):
    """A platform's support system with one view per partner."""

    role: ClassVar[Side] = Side.PLATFORM

    kind: Literal["platform"] = Field(description="Which connector speaks to this desk.")
    url: BaseUrl = Field(description="The base address of its API.")
    token: Secret = Field(description="The bearer token for the API.")
    statuses: Annotated[dict[Text, Meaning], AfterValidator(_covers_all)] = Field(
        default={"Open": "open", "With customer": "with_customer", "Closed": "closed"},
        description="The statuses that the platform has, and what each means.",
    )

    file_hosts: FileHosts = Field(
        default=(),
        description="Hosts beside the platform's own from which its attachments may be fetched,"
        ' such as `files.platform.example` or `"*.cdn.example"`.',
    )

    def status_values(self) -> tuple[StatusValue, ...]:
        return tuple(
            StatusValue(name=name, meaning=Status(meaning))
            for name, meaning in self.statuses.items()
        )
