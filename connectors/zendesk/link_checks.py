"""Whether an account has what its links name: groups, brands, forms, assignees, fields, agents,
custom statuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.zendesk.account import Account
from connectors.zendesk.authors import is_fit, may_speak
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.fields import shown
from connectors.zendesk.refusal import CUSTOM_STATUS
from syncd.core.errors import Rejected, RemoteError
from syncd.core.policy import LinkPolicy
from syncd.ports import CheckResult


async def check_link(account: Account, policy: LinkPolicy) -> Sequence[CheckResult]:
    """One line for each name that leads nowhere, or one that says that all do."""
    name = f"link {policy.link}"
    if not policy.placement and not policy.fields:
        return ()
    found = []
    try:
        for kind, wanted in policy.placement:
            try:
                await account.placement([(kind, wanted)])
            except Rejected as error:
                message = f"the account has no {kind} {shown(wanted)}"
                found.append(CheckResult(name=name, is_ok=False, message=message, hint=error.hint))
        found += [
            CheckResult(
                name=name,
                is_ok=False,
                message=problem,
                hint="Mend `partner.fields` of the link, or the field in Zendesk.",
            )
            for problem in await account.fields.problems(policy.fields)
        ]
    except RemoteError as error:
        return (CheckResult(name=name, is_ok=False, message=str(error), hint=error.hint),)
    if found:
        return found
    return (CheckResult(name=name, is_ok=True, message="new tickets find their place"),)


async def check_statuses(statuses: CustomStatuses) -> Sequence[CheckResult]:
    """A line for each custom status of the settings that tickets cannot be given."""
    name = "custom statuses"
    if not statuses.names.named:
        return ()
    try:
        problems = await statuses.problems()
    except RemoteError as error:
        return (CheckResult(name=name, is_ok=False, message=str(error), hint=error.hint),)
    if problems:
        return [
            CheckResult(name=name, is_ok=False, message=problem, hint=CUSTOM_STATUS)
            for problem in problems
        ]
    return (CheckResult(name=name, is_ok=True, message="tickets can be given each of them"),)


async def check_agents(client: ZendeskClient, agents: Mapping[str, str]) -> Sequence[CheckResult]:
    """A line for each person of the platform whose agent cannot be an author."""
    found = []
    for who, address in agents.items():
        try:
            users = await client.users_with_address(address)
        except RemoteError as error:
            return (CheckResult(name="agents", is_ok=False, message=str(error), hint=error.hint),)
        if not any(is_fit(user) and may_speak(user) for user in users):
            found.append(
                CheckResult(
                    name="agents",
                    is_ok=False,
                    message=f"nobody can write for {shown(who)}",
                    hint="Give the address of an agent who is not suspended and no light agent;"
                    " until then the attribution line names the author.",
                )
            )
    if found or not agents:
        return found
    return (CheckResult(name="agents", is_ok=True, message="every agent can be an author"),)
