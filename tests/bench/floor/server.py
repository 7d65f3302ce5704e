"""The floor's web server: uvicorn as it comes, on a free port of the loopback address."""

from __future__ import annotations

import json
import socket

import uvicorn

from tests.bench.floor.accepted import Application


class FloorServer(uvicorn.Server):
    """Prints `{"ready": ADDRESS}` once it listens."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            uvicorn.Config(application, log_config=None, lifespan="off", access_log=False)
        )
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)

    async def serve_here(self) -> None:
        """Serve until SIGTERM."""
        await self.serve(sockets=[self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        host, port = self._listener.getsockname()[:2]
        print(json.dumps({"ready": f"http://{host}:{port}"}), flush=True)
