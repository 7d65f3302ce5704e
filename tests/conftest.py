"""What holds for every test: how hard Hypothesis looks, folders' markers, and refused skips.

`CI` in the environment selects the profile `ci`; `--hypothesis-profile` overrides both.
`SYNCD_FORBID_SKIPS` is a comma-separated list of words: a skip whose reason holds one of them
fails, so that a check of everything cannot pass because the thing to check was not there.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import Phase, settings

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=500, deadline=None, derandomize=True)
# Thousands of runs, each of which is over at the first failure: nobody reads the example.
settings.register_profile(
    "mutants",
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# Folders whose tests all carry a marker.
FOLDER_MARKERS = {"e2e": pytest.mark.e2e}

AnyReport = TypeVar("AnyReport", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def shared_specs() -> Path:
    """The vendors' own API files, kept beside the repository; skips where they are absent."""
    folder = REPOSITORY.parent / "shared" / "specs"
    if not folder.is_dir():
        pytest.skip("no folder shared/specs beside the repository")
    return folder


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the tests of a folder that has a marker of its own."""
    for item in items:
        for folder, marker in FOLDER_MARKERS.items():
            if folder in item.path.parts:
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Refuse a forbidden skip of one test."""
    return _refuse_forbidden_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse a forbidden skip of a whole module."""
    return _refuse_forbidden_skip((yield))


def _refuse_forbidden_skip(report: AnyReport) -> AnyReport:
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    words = os.environ.get("SYNCD_FORBID_SKIPS", "").split(",")
    if any(word.strip() and word.strip() in reason for word in words):
        report.outcome = "failed"
        report.longrepr = f"{reason} (SYNCD_FORBID_SKIPS refuses this skip)"
    return report
