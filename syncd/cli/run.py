"""`syncd run`: the daemon, in the foreground."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli.failure import Refused
from syncd.cli.opening import load_and_warn, load_config
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption

if TYPE_CHECKING:
    from config.loaded import Config

_TAKEN = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    It stays in the foreground and logs to standard error; the event `daemon.ready` has the address
    of its web server. Runs in progress are finished before it ends. At SIGHUP the configuration is
    read again: all of it, or, if anything is wrong with it, nothing.
    """
    from syncd.log import configure

    # A crash file would hold secrets and whatever text was on its way.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    loaded = load_and_warn(config)
    configure(form=loaded.log.format, level=loaded.log.level)
    asyncio.run(_serve(loaded, config))


async def _serve(config: Config, path: Path) -> None:
    from syncd.daemon import serve
    from syncd.supervisor import Supervisor

    supervisor = Supervisor.of(os.environ)
    try:
        await serve(config, read_again=lambda: load_config(path).config, supervisor=supervisor)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        raise Refused(
            f"cannot listen on {config.server.listen}: {error.strerror}",
            hint="Is another syncd running? Otherwise change `server.listen`.",
        ) from error
