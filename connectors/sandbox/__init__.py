"""The chassis of every desk in miniature: faults, held requests, request log, time scale, server.

Build a desk that satisfies `Desk`, wrap it in `Sandbox`, hand that to `run` or, in tests, to the
ASGI transport of httpx.
Reading order: call.py, app.py, control.py, faults.py, serve.py, courier.py.
"""

from connectors.sandbox.app import Desk, Sandbox
from connectors.sandbox.call import Call, Handler, Reply, Route, Router, json_reply, text_reply
from connectors.sandbox.connection import ConnectionDropped
from connectors.sandbox.courier import Attempt, Courier, Delivery, Mischief, Parcel
from connectors.sandbox.faults import Fault
from connectors.sandbox.hold import Release
from connectors.sandbox.serve import SandboxServer, run
from connectors.sandbox.time import SandboxTime

__all__ = [
    "Attempt",
    "Call",
    "ConnectionDropped",
    "Courier",
    "Delivery",
    "Desk",
    "Fault",
    "Handler",
    "Mischief",
    "Parcel",
    "Release",
    "Reply",
    "Route",
    "Router",
    "Sandbox",
    "SandboxServer",
    "SandboxTime",
    "json_reply",
    "run",
    "text_reply",
]
