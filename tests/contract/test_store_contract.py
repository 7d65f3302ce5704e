"""The SQLite store keeps the Store contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.ports import Store
from syncd.store import open_store
from tests.contract.store_alarm_suite import StoreAlarmSuite
from tests.contract.store_guard_suite import StoreGuardSuite
from tests.contract.store_lineage_suite import StoreLineageSuite
from tests.contract.store_mirror_suite import StoreMirrorSuite
from tests.contract.store_report_suite import StoreReportSuite
from tests.contract.store_step_suite import StoreStepSuite


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "syncd.db", is_durable=False)
    yield opened
    await opened.close()


class TestSqliteMirror(StoreMirrorSuite):
    pass


class TestSqliteSteps(StoreStepSuite):
    pass


class TestSqliteReports(StoreReportSuite):
    pass


class TestSqliteLineages(StoreLineageSuite):
    pass


class TestSqliteGuards(StoreGuardSuite):
    pass


class TestSqliteAlarms(StoreAlarmSuite):
    pass
