"""A Zendesk account in miniature, true to the vendor's wire format and as awkward as the real one.

Reading order: settings.py (people, rules, switches), records.py, draft.py, update.py, business.py,
then the endpoints: tickets.py, comments.py, jobs.py, export.py, webhooks.py; desk.py joins them.
It shares no module with the connector it judges.
"""

import httpx

from connectors.sandbox import Sandbox, SandboxTime
from connectors.zendesk.sandbox.desk import ZendeskDesk
from connectors.zendesk.sandbox.settings import (
    CustomField,
    CustomStatus,
    Organization,
    Person,
    Trigger,
    ZendeskSettings,
)


class ZendeskSandbox(Sandbox):
    """An ASGI app: hand it to `connectors.sandbox.run`, or to httpx's ASGI transport in tests."""

    desk: ZendeskDesk

    def __init__(
        self,
        settings: ZendeskSettings | None = None,
        *,
        time: SandboxTime | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        desk = ZendeskDesk(settings, time, transport=transport)
        super().__init__(desk, seed=desk.account.settings.seed)
        self.desk = desk


__all__ = [
    "CustomField",
    "CustomStatus",
    "Organization",
    "Person",
    "Trigger",
    "ZendeskDesk",
    "ZendeskSandbox",
    "ZendeskSettings",
]
