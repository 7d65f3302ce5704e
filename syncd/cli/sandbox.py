"""`syncd sandbox`: a desk in miniature on this machine, for anyone who integrates with one.

It speaks the real desk's wire format, with its quotas and error bodies; all it holds goes with it.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.failure import Refused
from syncd.cli.report import put

if TYPE_CHECKING:
    from connectors.sandbox import Sandbox
    from connectors.zendesk.sandbox import ZendeskSettings

app = typer.Typer(
    no_args_is_help=True,
    help="Run a desk in miniature, to integrate with or try out.",
    epilog="Example: `syncd sandbox zendesk --port 8081`",
)

HostOption = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
]
PortOption = Annotated[
    int, typer.Option("--port", "-p", metavar="N", min=0, max=65_535, help="0 picks a free one.")
]
ScaleOption = Annotated[
    float,
    typer.Option(
        "--time-scale",
        metavar="X",
        min=1.0,
        help="Shortens quota windows, withheld minutes and webhook pauses by this factor.",
    ),
]
_LOOPBACK = "127.0.0.1"


@app.command(
    epilog="Example: `syncd sandbox zendesk --port 8444 --time-scale 60"
    " --set plan='\"suite_team\"'`"
)
def zendesk(
    *,
    host: HostOption = _LOOPBACK,
    port: PortOption = 0,
    time_scale: ScaleOption = 1.0,
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=JSON", help="Change how it behaves; repeatable."),
    ] = None,
) -> None:
    """Run a Zendesk account in miniature, as awkward as the real one.

    When it is ready it prints one JSON line with its address. Ctrl-C ends it.
    """
    from connectors.sandbox import SandboxTime
    from connectors.zendesk.sandbox import ZendeskSandbox

    settings = _zendesk_settings(switches or [])
    sandbox = ZendeskSandbox(settings, time=SandboxTime(scale=time_scale))
    user = f"{settings.integration_email}/token:{settings.api_token}"
    tickets = "/api/v2/tickets.json"
    _serve(sandbox, host, port, [f"curl -u '{user}' {{address}}{tickets}"], scale=time_scale)


@app.command(epilog="Example: `syncd sandbox platform --port 8081 --view acme-postgres`")
def platform(
    *,
    host: HostOption = _LOOPBACK,
    port: PortOption = 0,
    time_scale: ScaleOption = 1.0,
    view: Annotated[
        list[str] | None,
        typer.Option("--view", metavar="NAME", help="A partner's view; repeatable."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="TEXT", help="Of the platform's own integration."),
    ] = None,
    quota: Annotated[
        int, typer.Option("--quota", metavar="N", min=1, help="Requests a minute for each token.")
    ] = 600,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Of ids, faults and lost webhooks.")
    ] = 0,
) -> None:
    """Run a platform's support system in miniature: the contract of docs/platform-api.yaml.

    When it is ready it prints one JSON line with its address. Ctrl-C ends it.
    """
    from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
    from connectors.sandbox import SandboxTime

    planted = Seed()
    planted = dataclasses.replace(
        planted, views=tuple(view or planted.views), token=token or planted.token
    )
    desk = PlatformDesk(
        time=SandboxTime(scale=time_scale), seed=planted, quota=quota, random_seed=seed
    )
    line = f"curl -H 'Authorization: Bearer {planted.token}' {{address}}/me"
    _serve(PlatformSandbox(desk, seed=seed), host, port, [line], scale=time_scale)


def _zendesk_settings(switches: Sequence[str]) -> ZendeskSettings:
    from connectors.zendesk.sandbox import ZendeskSettings

    settings = ZendeskSettings()
    plain = {
        field.name
        for field in dataclasses.fields(settings)
        if not isinstance(getattr(settings, field.name), tuple)
    }
    changes: dict[str, object] = {}
    for switch in switches:
        name, equals, value = switch.partition("=")
        if name not in plain or not equals:
            raise typer.BadParameter(
                f"{switch!r} is not NAME=JSON with one of: {', '.join(sorted(plain))}"
            )
        try:
            changes[name] = json.loads(value)
        except ValueError:
            raise typer.BadParameter(
                f"{value!r} is not JSON; quote a text twice: {name}='\"text\"'"
            ) from None
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]


def _serve(
    sandbox: Sandbox, host: str, port: int, examples: Sequence[str], *, scale: float
) -> None:
    from connectors.sandbox import run

    def announce(line: str) -> None:
        put(line + "\n")
        if not sys.stdout.isatty():
            return
        address = json.loads(line)["ready"]
        said = [example.format(address=address) for example in examples]
        said += [f"curl {address}/_sandbox      # its clock, faults, requests and state"]
        if scale > 1:
            said += [f"Time passes {scale:g} times as fast as at the desk."]
        typer.echo("\n".join([*said, "Ctrl-C ends it, and all that it holds."]), err=True)

    try:
        run(sandbox, host, port, announce=announce)
    except OSError as error:
        raise Refused(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="Choose another `--port`."
        ) from error
