"""A real Request Tracker behind the chassis: its own answers, with our faults and our request log.

Every call goes to RT as it came in and its answer back as it is; the chassis decides whether and
when. Nothing is imitated here, so nothing can be imitated wrongly.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import httpx

from connectors.request_tracker.sandbox.instance import Instance
from connectors.sandbox import Call, Handler, Reply, Route, Router, SandboxTime, json_reply

_PATIENCE_SECONDS = 60.0
#: Of one connection each, not of the message; the length is counted anew.
_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_TEMPLATES = (
    "/REST/2.0/ticket",
    "/REST/2.0/ticket/{id}",
    "/REST/2.0/ticket/{id}/correspond",
    "/REST/2.0/ticket/{id}/comment",
    "/REST/2.0/ticket/{id}/history",
    "/REST/2.0/ticket/{id}/attachments",
    "/REST/2.0/transaction/{id}",
    "/REST/2.0/transaction/{id}/attachments",
    "/REST/2.0/attachment/{id}",
    "/REST/2.0/user/{id}",
    "/REST/2.0/queue/{id}",
    "/REST/2.0/customfield/{id}",
)


class RequestTrackerDesk:
    """Implements `connectors.sandbox.Desk` before a running instance."""

    def __init__(self, instance: Instance, *, workers: int = 3) -> None:
        self._instance = instance
        self._workers = workers
        self._client = httpx.AsyncClient(
            base_url=instance.address,
            timeout=_PATIENCE_SECONDS,
            # Loopback only: no proxy of the surroundings has a say.
            trust_env=False,
        )
        self.name = "request_tracker"
        #: RT's quotas and clocks are the machine's own.
        self.time = SandboxTime()
        self.router = Router(
            Route(method, template, self._pass_on)
            for template in _TEMPLATES
            for method in ("GET", "POST", "PUT", "DELETE")
        )
        self.controls = Router(
            [
                Route("POST", "/_sandbox/stop", self._stop),
                Route("POST", "/_sandbox/kill", self._kill),
                Route("POST", "/_sandbox/start", self._start),
            ]
        )

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        """RT's own answer, waited for; a path without a route reaches RT as well."""
        return (handler or self._pass_on)(call)

    def state(self) -> dict[str, object]:
        """Where its own interface shows all that it holds."""
        return {"address": self._instance.address, "folder": str(self._instance.folder)}

    def reset(self) -> None:
        """Back to the seeded database; RT answers again when this returns."""
        self._instance.stop()
        self._instance.reset()
        self._instance.start(workers=self._workers)

    async def settle(self) -> None:
        """Nothing runs between an effect and its answer but RT's own scrips."""

    async def close(self) -> None:
        """Let go of the connections; whoever started the instance ends it."""
        await self._client.aclose()

    def _pass_on(self, call: Call) -> Reply:
        async def later() -> Reply:
            try:
                answer = await self._client.request(
                    call.method,
                    quote(call.path) + (f"?{urlencode(call.query)}" if call.query else ""),
                    content=call.body,
                    headers={k: v for k, v in call.headers.items() if k not in _HOP_BY_HOP},
                )
            except httpx.TransportError as error:
                # As a web server before RT says it; whether RT did it, nobody can tell.
                return json_reply(502, {"message": f"RT does not answer: {type(error).__name__}"})
            headers = [
                (name, value)
                for name, value in answer.headers.multi_items()
                # httpx has decoded the body.
                if name.lower() not in _HOP_BY_HOP | {"content-encoding"}
            ]
            return Reply(status=answer.status_code, headers=tuple(headers), body=answer.content)

        return Reply(status=202, later=later)

    def _stop(self, _call: Call) -> Reply:
        """End RT in order; requests are answered with 502 until it is started."""
        self._instance.stop()
        return json_reply(200, {})

    def _kill(self, _call: Call) -> Reply:
        """End RT without warning, whatever it does."""
        self._instance.kill()
        return json_reply(200, {})

    def _start(self, _call: Call) -> Reply:
        """Start it again with the same database; it answers when this returns."""
        self._instance.start(workers=self._workers)
        return json_reply(200, {"pid": self._instance.pid})
