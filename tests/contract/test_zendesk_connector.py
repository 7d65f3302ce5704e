"""The Zendesk connector under the contract of `Connector`, whichever way unsettled facts are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from syncd.core.errors import Rejected
from tests.contract.connector_faults import ConnectorFaults
from tests.contract.connector_files import ConnectorFiles
from tests.contract.connector_suite import ConnectorSuite
from tests.contract.desk import Desk, a_creation, a_draft, an_intent
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_zendesk_desk
from tests.support.zendesk_plays import CONTRARY, PLAYS
from tests.support.zendesk_sweep import a_swept_desk


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


class TestSweepingZendeskConnector(ConnectorSuite, ConnectorFaults):
    """Without the exports, as an agent: read is what a look calls for."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_swept_desk() as desk:
            yield desk

    async def test_a_silent_creation_keeps_every_comment_in_order(self, desk: Desk) -> None:
        """Not here: only an admin may import."""
        op = a_creation(desk, a_draft(desk, "<p>First</p>"), is_silent=True)
        with pytest.raises(Rejected) as refused:
            await desk.connector.write(an_intent(desk, op))
        assert "admin" in refused.value.hint
        assert desk.tickets(op.external_id) == ()

    @pytest.mark.parametrize("is_silent", [False])
    async def test_a_creation_whose_answer_was_lost_is_found_once(
        self, desk: Desk, is_silent: bool
    ) -> None:
        await super().test_a_creation_whose_answer_was_lost_is_found_once(desk, is_silent)

    @pytest.mark.parametrize("is_silent", [False])
    async def test_a_creation_that_never_arrived_goes_again_and_lands_once(
        self, desk: Desk, is_silent: bool
    ) -> None:
        await super().test_a_creation_that_never_arrived_goes_again_and_lands_once(desk, is_silent)


class TestContraryZendeskConnector(ConnectorSuite, ConnectorFaults):
    """All of them at once, under every fault, too."""

    @pytest.fixture
    async def desk(self) -> AsyncIterator[ZendeskDesk]:
        async with a_zendesk_desk(**CONTRARY) as desk:
            yield desk
