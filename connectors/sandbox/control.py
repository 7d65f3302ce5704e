"""The control routes every desk in miniature has, under `/_sandbox`.

GET    /_sandbox                  name, clock, scale, counts
GET    /_sandbox/faults           armed rules; POST arms one or a list, DELETE disarms all
GET    /_sandbox/requests         counts and the list (`?since=N`); POST .../reset empties it
GET    /_sandbox/held             held requests (`?wait_seconds=` waits for the first)
POST   /_sandbox/release          {"number"?, "apply"?: true, "answer"?: true}
GET    /_sandbox/state            everything the desk holds; POST /_sandbox/reset starts anew
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.call import Call, Reply, Route, Router, json_reply
from connectors.sandbox.faults import FaultRefused, fault_from_json
from connectors.sandbox.hold import Release

if TYPE_CHECKING:
    from connectors.sandbox.app import Sandbox


class ControlRoutes:
    """Handlers for the shared controls of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def router(self) -> Router:
        """The routes, except `GET /_sandbox/held`, which waits and is the app's own."""
        return Router(
            [
                Route("GET", "/_sandbox", self.overview),
                Route("GET", "/_sandbox/faults", self.list_faults),
                Route("POST", "/_sandbox/faults", self.arm),
                Route("DELETE", "/_sandbox/faults", self.disarm),
                Route("GET", "/_sandbox/requests", self.requests),
                Route("POST", "/_sandbox/requests/reset", self.clear_requests),
                Route("POST", "/_sandbox/release", self.release),
                Route("GET", "/_sandbox/state", self.state),
                Route("POST", "/_sandbox/reset", self.reset),
            ]
        )

    def overview(self, call: Call) -> Reply:
        """Name, clock, scale and counts."""
        desk, log = self._sandbox.desk, self._sandbox.log
        return json_reply(
            200,
            {
                "name": desk.name,
                "address": call.base_url,
                "now": desk.time.now(),
                "time_scale": desk.time.scale,
                "requests": log.request_count,
                "writes": log.write_count,
                "applied_writes": log.applied_write_count,
            },
        )

    def list_faults(self, _call: Call) -> Reply:
        """What is armed."""
        return json_reply(200, {"faults": self._sandbox.faults.listing()})

    def arm(self, call: Call) -> Reply:
        """Arm one rule or a list of them, all or none."""
        try:
            value = call.json()
            faults = [
                fault_from_json(one) for one in (value if isinstance(value, list) else [value])
            ]
        except (FaultRefused, ValueError) as error:
            return json_reply(400, {"error": str(error)})
        for fault in faults:
            self._sandbox.faults.arm(fault)
        return self.list_faults(call)

    def disarm(self, call: Call) -> Reply:
        """Disarm every rule."""
        self._sandbox.faults.clear()
        return self.list_faults(call)

    def requests(self, call: Call) -> Reply:
        """The request log."""
        return json_reply(200, self._sandbox.log.as_json(int(call.value("since") or 0)))

    def clear_requests(self, _call: Call) -> Reply:
        """Empty the list; numbering goes on."""
        self._sandbox.log.clear()
        return json_reply(200, {"ok": True})

    def release(self, call: Call) -> Reply:
        """Let held requests go on."""
        how = call.json() or {}
        released = self._sandbox.held.release(
            Release(
                is_applied=bool(how.get("apply", True)), is_answered=bool(how.get("answer", True))
            ),
            how.get("number"),
        )
        return json_reply(200, {"released": released})

    def state(self, _call: Call) -> Reply:
        """The desk's dump."""
        return json_reply(200, self._sandbox.desk.state())

    def reset(self, _call: Call) -> Reply:
        """Start anew."""
        self._sandbox.reset()
        return json_reply(200, {"ok": True})
