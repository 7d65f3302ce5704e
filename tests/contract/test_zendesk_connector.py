"""The Zendesk connector under the contract of `Connector`, by OAuth and by API token."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.connector_faults import ConnectorFaults
from tests.contract.connector_suite import ConnectorSuite
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_zendesk_desk


class TestZendeskConnector(ConnectorSuite, ConnectorFaults):
    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk() as desk:
            yield desk


class TestZendeskConnectorWithoutReadableStamps(ConnectorSuite, ConnectorFaults):
    """Metadata is not promised to be readable: everything must hold without it."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk(
            token=TOKEN, metadata_readable=False, conflict_body="empty"
        ) as desk:
            yield desk
