"""Where the configuration is: the file that was named, the one in this folder, the service's.

Beside the service a person types `syncd status` and means the service; a file in the folder that
one stands in comes first, so that a trial never works on the service by mistake.
"""

from __future__ import annotations

from pathlib import Path

import typer

DEFAULT_CONFIG = Path("syncd.yaml")
#: Where the systemd unit has it.
SERVICE_CONFIG = Path("/etc/syncd/syncd.yaml")


def or_the_services(path: Path) -> Path:
    """The service's file instead of the default one, where only the former exists."""
    if path == DEFAULT_CONFIG and not path.exists() and SERVICE_CONFIG.is_file():
        return SERVICE_CONFIG
    return path


def chosen(ctx: typer.Context, param: typer.CallbackParam, value: Path) -> Path:
    """What `--config` becomes: a name that somebody gave stays as it is, whatever it is."""
    source = ctx.get_parameter_source(param.name or "")
    # Typer brings its own copy of click, or uses the real one: by name only.
    is_named = source is None or source.name != "DEFAULT"
    return value if is_named else or_the_services(value)
