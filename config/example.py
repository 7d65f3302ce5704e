"""The whole configuration that people begin with, as text.

The wheel carries it beside the modules; in a checkout it stands at the top, where people look.
"""

from __future__ import annotations

from pathlib import Path

_NAME = "syncd.yaml.example"


def example_text() -> str:
    """The file as it is kept, with its comments."""
    here = Path(__file__).resolve().parent
    packed = here / _NAME
    return (packed if packed.exists() else here.parent / _NAME).read_text(encoding="utf-8")
