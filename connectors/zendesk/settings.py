"""What a Zendesk account needs to be a partner's desk.

One address (`subdomain` or `url`) and one credential (`oauth` or `api_token`).
The account's admin gives both; incremental exports need an admin's token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from syncd.core.model import Side, Status
from syncd.settings import (
    BaseUrl,
    ConnectionSettings,
    FileHosts,
    Remark,
    Secret,
    Section,
    StatusValue,
    Text,
)

#: In the order of preference for writing. `new` cannot be restored once left, `closed` is final:
#: https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
STATUSES = (
    StatusValue(name="open", meaning=Status.OPEN),
    StatusValue(name="new", meaning=Status.OPEN, is_writable=False),
    StatusValue(name="hold", meaning=Status.OPEN),
    StatusValue(name="pending", meaning=Status.WITH_CUSTOMER),
    StatusValue(name="solved", meaning=Status.CLOSED),
    StatusValue(name="closed", meaning=Status.CLOSED, is_writable=False),
)


_MEANINGS = {value.name: value.meaning for value in STATUSES}
#: Zendesk's own bound on labels is shorter, so none is kept out.
StatusName = Annotated[Text, StringConstraints(max_length=100)]
EmailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s:]+@[^@\s:]+$")]


class OAuth(Section):
    """A confidential OAuth client; syncd fetches its tokens by the client credentials grant, or by
    a refresh token where an agent has authorised the client.
    """

    client_id: Text = Field(description="The client's unique identifier.")
    client_secret: Secret = Field(description="The client's secret.")
    scope: Text = Field(default="read write", description="Scopes to ask for, between blanks.")
    refresh_token: Secret | None = Field(
        default=None,
        description="The first refresh token, where an agent authorised the client. Each one is"
        " valid once: syncd keeps its successors beside the store.",
    )


class ApiToken(Section):
    """An API token; Zendesk ends them on 30 April 2027."""

    email: EmailAddress = Field(description="The agent whom the token acts for.")
    token: Secret = Field(description="The token.")


class Settings(ConnectionSettings):
    """A partner's Zendesk account."""

    role: ClassVar[Side] = Side.PARTNER

    kind: Literal["zendesk"] = Field(description="Which connector speaks to this desk.")
    subdomain: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")] | None
    ) = Field(default=None, description="The `acme` of acme.zendesk.com. Either this or `url`.")
    url: BaseUrl | None = Field(
        default=None, description="Any other base address. Either this or `subdomain`."
    )
    oauth: OAuth | None = Field(
        default=None, description="An OAuth client. Either this or `api_token`."
    )
    api_token: ApiToken | None = Field(
        default=None,
        description="An API token; Zendesk ends them on 30 April 2027. Either this or `oauth`.",
    )
    authors: Literal["attribution", "impersonate"] = Field(
        default="attribution",
        description="Who is the author of what syncd copies there: `attribution`, always syncd's"
        " own user, with a line that names the true one; `impersonate`, where it can be, the"
        " customer, or the agent named in `agents`.",
    )
    agents: Annotated[dict[Text, EmailAddress], Field(min_length=1)] | None = Field(
        default=None,
        description="For `impersonate`: the platform's staff, by name or id, and the e-mail"
        " addresses of the agents who stand for them.",
    )
    requester_address: Literal["none", "hashed", "full"] = Field(
        default="none",
        description="What e-mail address customers get there: `none`; `hashed`, a stable one that"
        " leads nowhere; or `full`, their own, with which the desk can mail them past the"
        " platform.",
    )
    custom_statuses: (
        Annotated[
            dict[StatusName, Literal["new", "open", "pending", "hold", "solved"]],
            Field(min_length=1),
        ]
        | None
    ) = Field(
        default=None,
        description="Custom statuses that a link's `status` may name, by the label that agents see,"
        " and the category that each belongs to.",
    )
    feed: Literal["exports", "sweep"] = Field(
        default="exports",
        description="How changes are read: `exports`, the incremental exports, which need an"
        " admin; or `sweep`, looks at the tickets of our own pairs, for which an agent is enough.",
    )
    exports_per_minute: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="Incremental export requests per minute that the account may make:"
        " 10, or 30 with the High Volume add-on; more only in a sandbox.",
    )

    file_hosts: FileHosts = Field(
        default=("*.zendesk.com", "*.zdusercontent.com"),
        description="Hosts beside the account's own from which its attachments may be fetched,"
        ' such as `files.acme.example` or `"*.zdusercontent.com"`.',
    )

    @model_validator(mode="after")
    def _one_address_and_one_credential(self) -> Self:
        missing = []
        if (self.subdomain is None) == (self.url is None):
            missing.append("either `subdomain` or `url`, and not both")
        if (self.oauth is None) == (self.api_token is None):
            missing.append("either `oauth` or `api_token`, and not both")
        if missing:
            raise ValueError("needs " + "; and ".join(missing))
        doubled = _doubled(self.custom_statuses or {})
        if doubled:
            raise ValueError(f"`custom_statuses` has a name too many: {doubled}")
        if self.agents is not None and self.authors != "impersonate":
            raise ValueError("`agents` are for `authors: impersonate`")
        return self

    @property
    def base_url(self) -> str:
        """The address that API paths are appended to, without a slash at its end."""
        return self.url if self.url is not None else f"https://{self.subdomain}.zendesk.com"

    @property
    def account(self) -> str:
        return self.base_url.rstrip("/").casefold()

    def status_values(self) -> tuple[StatusValue, ...]:
        own = tuple(
            StatusValue(
                name=name,
                meaning=_MEANINGS[category],
                # Like the category itself.
                is_writable=category != "new",
                may_be_left_out=True,
            )
            for name, category in (self.custom_statuses or {}).items()
        )
        return STATUSES + own

    def remarks(self) -> tuple[Remark, ...]:
        token = Remark(
            key="api_token",
            message="Zendesk API tokens stop working on 30 April 2027",
            hint="make an OAuth client in the Admin Center and use `oauth`",
        )
        address = Remark(
            key="requester_address",
            message="customers get their real address, so the desk can mail them past the platform",
            hint="`syncd check --online` names the triggers that would; `none` gives no address",
        )
        told = ((token, self.api_token is not None), (address, self.requester_address == "full"))
        return tuple(remark for remark, is_due in told if is_due)


def _doubled(names: Iterable[str]) -> str:
    """The first of some labels that is another one, or a category, but for its letters' case."""
    seen = {value.name for value in STATUSES}
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return ""
