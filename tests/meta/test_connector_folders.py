"""Every connector has the same eight parts and can be found by its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meta.project import ROOT, module_or_pending, relative

PARTS = ("settings", "wire", "mapping", "client", "connector", "webhook", "sandbox")
FOLDERS = sorted({path.parent for path in (ROOT / "connectors").glob("*/settings.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_connector_has_its_eight_parts(folder: Path) -> None:
    for part in PARTS:
        module_or_pending(f"connectors.{folder.name}.{part}")
    assert (folder / "NOTES.md").exists(), "NOTES.md tells how the desk differs from its documents"


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_connector_is_registered_under_its_kind(folder: Path) -> None:
    registry = module_or_pending("connectors.registry")
    source = Path(str(registry.__file__)).read_text(encoding="utf-8")
    assert f'"{folder.name}"' in source
