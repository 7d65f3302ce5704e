"""What `syncd doctor` has examined on RT's own machine, from what the file says of a connection."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.request_tracker.examination import Examination
from connectors.request_tracker.needs import Call, Needs, Reopening, fields_of
from connectors.request_tracker.settings import Settings
from syncd.core.model import ConnectionName, Status
from syncd.core.policy import LinkPolicy


def examine(
    name: ConnectionName,
    settings: Settings,
    policies: Sequence[LinkPolicy],  # noqa: ARG001 - the connection names all of its queues
    *,
    endpoint: str | None,
) -> Examination:
    """The examination of one connection; `endpoint` is where its webhooks are to arrive."""
    return Examination(name, needs_of(settings, endpoint=endpoint))


def needs_of(settings: Settings, *, endpoint: str | None) -> Needs:
    """What a connection needs as it is configured."""
    secret = settings.webhook_secret
    call = None
    if settings.has_webhooks and secret is not None and endpoint is not None:
        call = Call(endpoint=endpoint, secret=secret.get_secret_value())
    queue, owner = settings.hand_off.queue, settings.hand_off.owner
    return Needs(
        user=_user_of(settings.token.get_secret_value()),
        queues=settings.queues,
        hand_off_queues=() if queue is None else (queue,),
        owners=() if owner is None else (owner,),
        fields=fields_of(
            tags=settings.tags_field, stamp=settings.stamp_field, metadata=settings.metadata
        ),
        reopening=_reopening(settings),
        call=call,
    )


def _reopening(settings: Settings) -> Reopening:
    values = settings.status_values()
    waiting = tuple(value.name for value in values if value.meaning is Status.WITH_CUSTOMER)
    opened = next(value.name for value in values if value.meaning is Status.OPEN)
    return Reopening(waiting=waiting, opened=opened)


def _user_of(token: str) -> str:
    """The number of a token's user: RT's tokens are a version, that number and the secret."""
    _, _, rest = token.partition("-")
    number, dash, _ = rest.partition("-")
    return number if dash and number.isdigit() else "root"
