"""The platform's desk in miniature as the chassis wants it: parts put together, controls, reset.

GET  /_sandbox/tickets/{id}   one ticket with nothing hidden
POST /_sandbox/act            act as a person, see act.py
GET  /_sandbox/settings       POST changes them: {"quota"?, "views"? (added), "webhooks"?:
                              {"loss", "duplicate", "reorder", "reorder_seconds", "before_answer"}}
POST /_sandbox/customers      {"name"}: somebody who can open tickets
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.platform.sandbox import dump
from connectors.platform.sandbox.act import ActRefused, act
from connectors.platform.sandbox.api import PlatformApi
from connectors.platform.sandbox.feed import Feed
from connectors.platform.sandbox.hooks import Hooks, back_off
from connectors.platform.sandbox.model import Update
from connectors.platform.sandbox.quota import Quota
from connectors.platform.sandbox.refusal import Refusal, not_found
from connectors.platform.sandbox.register import Register
from connectors.platform.sandbox.seed import Seed, add_person, add_view
from connectors.sandbox import (
    Call,
    Courier,
    Handler,
    Mischief,
    Reply,
    Route,
    Router,
    Sandbox,
    SandboxTime,
    json_reply,
)

Probability = Annotated[float, Field(ge=0, le=1)]
ViewName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class WebhookSettings(BaseModel):
    """How well webhooks travel; a member left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    loss: Probability | None = None
    duplicate: Probability | None = None
    reorder: Probability | None = None
    reorder_seconds: Annotated[float, Field(ge=0)] | None = None
    before_answer: bool | None = None


class Settings(BaseModel):
    """What can be changed while the sandbox runs."""

    model_config = ConfigDict(extra="forbid")

    quota: Annotated[int, Field(ge=1)] | None = None
    views: list[ViewName] = []
    webhooks: WebhookSettings = WebhookSettings()


class PlatformDesk:
    """A platform's support system in memory."""

    name = "platform"

    def __init__(
        self,
        *,
        time: SandboxTime | None = None,
        seed: Seed | None = None,
        quota: int = 600,
        random_seed: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Webhooks go out over the `transport`, or over the machine's own network."""
        self.time = time or SandboxTime()
        self._seed = seed or Seed()
        self._random_seed = random_seed
        self.quota = Quota(time=self.time, limit=quota)
        self.courier = Courier(
            time=self.time,
            retry=back_off,
            timeout_seconds=10.0,
            seed=random_seed,
            transport=transport,
        )
        self.controls = Router(
            [
                Route("GET", "/_sandbox/tickets/{ticket_id}", self._show),
                Route("POST", "/_sandbox/act", self._act),
                Route("GET", "/_sandbox/settings", self._settings),
                Route("POST", "/_sandbox/settings", self._change_settings),
                Route("POST", "/_sandbox/customers", self._add_customer),
            ]
        )
        self._has_committed = False
        self._build()

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        """Answer one call of the public contract."""
        user: str | None = None
        rate: tuple[tuple[str, str], ...] = ()
        try:
            token = self.api.caller(call)
            user = token.name
            rate = self.quota.take(token.id)
            if handler is None:
                raise not_found()
            reply = handler(call)
        except Refusal as refusal:
            reply = refusal.reply()

        def finish(answer: Reply) -> Reply:
            return replace(answer, headers=(*answer.headers, *rate), user=user)

        if reply.later is not None:
            return replace(reply, later=_then(reply.later, finish), user=user)
        return finish(reply)

    async def settle(self) -> None:
        """Before an answer: webhooks first, when something was committed and it is asked for."""
        # Only what commits waits: a receiver that reads while being told would wait for itself.
        if self._has_committed:
            self._has_committed = False
            await self.hooks.settle()

    def state(self) -> dict[str, object]:
        """Everything, see dump.py."""
        return {**dump.state_json(self.register, self.hooks), "settings": self._settings_json()}

    def reset(self) -> None:
        """Back to the seeded state; settings stay."""
        self.courier.drop_all()
        before_answer = self.hooks.is_before_answer
        self.let_go()
        self._build()
        self.hooks.is_before_answer = before_answer
        self.quota.forget()

    def let_go(self) -> None:
        """End every long poll with what there is."""
        self.feed.is_closing = True
        self.feed.wake()

    async def close(self) -> None:
        """Stop delivering webhooks and end long polls."""
        self.let_go()
        await self.courier.close()

    def _build(self) -> None:
        self.register = Register(time=self.time, seed=self._random_seed)
        self._seed.plant(self.register)
        self.feed = Feed(register=self.register, time=self.time)
        self.hooks = Hooks(register=self.register, time=self.time, courier=self.courier)
        self.api = PlatformApi(register=self.register, feed=self.feed, hooks=self.hooks)
        self.router = Router(self.api.routes())
        self._has_committed = False
        self.register.listeners.append(self._committed)

    def _committed(self, update: Update) -> None:
        self._has_committed = True
        self.hooks.announce(update)
        self.feed.wake()

    def _show(self, call: Call) -> Reply:
        ticket = self.register.tickets.get(call.parameters["ticket_id"])
        if ticket is None:
            return json_reply(404, {"error": "no such ticket"})
        return json_reply(200, dump.ticket_json(ticket))

    def _act(self, call: Call) -> Reply:
        try:
            return json_reply(200, act(self.register, call.json()))
        except (ActRefused, ValueError) as error:
            return json_reply(400, {"error": str(error)})

    def _settings(self, _call: Call) -> Reply:
        return json_reply(200, self._settings_json())

    def _change_settings(self, call: Call) -> Reply:
        try:
            wanted = Settings.model_validate(call.json())
        except (ValidationError, ValueError) as error:
            return json_reply(400, {"error": str(error)})
        if wanted.quota is not None:
            self.quota.limit = wanted.quota
        for view in wanted.views:
            add_view(self.register, view)
        webhooks = wanted.webhooks.model_dump(exclude_none=True)
        self.hooks.is_before_answer = webhooks.pop("before_answer", self.hooks.is_before_answer)
        self.courier.mischief = replace(self.courier.mischief, **webhooks)
        return self._settings(call)

    def _settings_json(self) -> dict[str, object]:
        mischief: Mischief = self.courier.mischief
        webhooks = {**asdict(mischief), "before_answer": self.hooks.is_before_answer}
        return {
            "quota": self.quota.limit,
            "views": sorted(self.register.views),
            "webhooks": webhooks,
        }

    def _add_customer(self, call: Call) -> Reply:
        try:
            name = call.json()["name"]
        except (KeyError, TypeError, ValueError):
            return json_reply(400, {"error": "send a name"})
        known = self.register.person(str(name))
        person = known or add_person(self.register, name=str(name), role="customer")
        return json_reply(200 if known else 201, {"id": person.id, "name": person.name})


class PlatformSandbox(Sandbox):
    """The chassis around a platform's desk; long polls end when the server is to stop."""

    def __init__(self, desk: PlatformDesk, *, seed: int = 0) -> None:
        super().__init__(desk, seed=seed)
        self.platform = desk

    def let_go(self) -> None:
        """End held requests and long polls."""
        super().let_go()
        self.platform.let_go()


def _then(
    later: Callable[[], Awaitable[Reply]], finish: Callable[[Reply], Reply]
) -> Callable[[], Awaitable[Reply]]:
    async def finished() -> Reply:
        return finish(await later())

    return finished
