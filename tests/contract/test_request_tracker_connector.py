"""The Request Tracker connector keeps the contract of every connector, on a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.connector_faults import ConnectorFaults
from tests.contract.connector_files import ConnectorFiles
from tests.contract.connector_suite import ConnectorSuite
from tests.support.request_tracker import Place
from tests.support.request_tracker_desk import RequestTrackerTestDesk, a_request_tracker_desk


class TestRequestTrackerConnector(ConnectorSuite, ConnectorFaults, ConnectorFiles):
    @pytest.fixture
    async def desk(
        self, request: pytest.FixtureRequest, request_tracker: Place
    ) -> AsyncIterator[RequestTrackerTestDesk]:
        has_webhook = "webhook" in request.node.name
        async with a_request_tracker_desk(request_tracker, has_webhook=has_webhook) as desk:
            yield desk
