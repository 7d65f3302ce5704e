"""The Zendesk connector under the contract of `Connector`, whichever way unsettled facts are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.connector_faults import ConnectorFaults
from tests.contract.connector_files import ConnectorFiles
from tests.contract.connector_suite import ConnectorSuite
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_zendesk_desk
from tests.support.zendesk_plays import CONTRARY, PLAYS


class TestZendeskConnector(ConnectorSuite, ConnectorFaults, ConnectorFiles):
    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk() as desk:
            yield desk


class TestZendeskConnectorWithoutReadableStamps(ConnectorSuite, ConnectorFaults, ConnectorFiles):
    """Metadata is not promised to be readable: everything must hold without it."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk(
            token=TOKEN, metadata_readable=False, conflict_body="empty"
        ) as desk:
            yield desk


class TestZendeskConnectorUnderEachUnsettledFact(ConnectorSuite):
    """One fact at a time is the other way round."""

    @pytest.fixture(params=list(PLAYS.values()), ids=list(PLAYS))
    async def desk(self, request: pytest.FixtureRequest) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk(**request.param) as desk:
            yield desk


class TestContraryZendeskConnector(ConnectorSuite, ConnectorFaults):
    """All of them at once, under every fault, too."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk(**CONTRARY) as desk:
            yield desk
