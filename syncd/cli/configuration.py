"""`syncd config`: what there is to know about the configuration file."""

from __future__ import annotations

import json

import typer

from syncd.cli.report import put

app = typer.Typer(
    no_args_is_help=True,
    help="What can stand in the configuration file.",
    epilog="Example: `syncd config example > syncd.yaml`",
)


@app.command(epilog="Example: `syncd config example > syncd.yaml`, then `syncd check`")
def example() -> None:
    """Print a whole configuration with two partners, in which every key is explained.

    It is a file to begin with: delete what you do not need, and put your own names in.
    """
    from config.example import example_text

    put(example_text())


@app.command(
    epilog="Example: `syncd config schema > syncd.schema.json`, then as first line of the file"
    " `# yaml-language-server: $schema=syncd.schema.json`"
)
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors.

    With it they complete keys and mark mistakes while you type.
    """
    from config.json_schema import json_schema
    from connectors import registry

    put(json.dumps(json_schema(registry), indent=2, ensure_ascii=False) + "\n")
