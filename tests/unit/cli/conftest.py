"""A stage for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.stage import Stage, a_stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A usable configuration and no store yet."""
    return a_stage(tmp_path)
