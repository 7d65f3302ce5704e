"""The command line: what people type to run syncd and to look at it.

`main` is the console entry point; `app` is the tree of commands. Exit codes stand in `exit_code`.
"""

from __future__ import annotations

import io
import sys

from syncd.cli.root import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command that was typed; ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal's encoding lacks is spelled out; no report fails on it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="syncd")
