"""The desks of one history, as people see and set them: no request of syncd's is made here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.platform.sandbox.act import ActRefused, act
from connectors.sandbox import Call, Sandbox, SandboxTime
from connectors.zendesk.sandbox import Person, ZendeskSandbox, ZendeskSettings
from tests.simulation.clock import LoopClock, VirtualLoop
from tests.simulation.network import Network, Wire
from tests.simulation.script import Terms

Json = dict[str, Any]

PLATFORM = "heroku"
VIEWS = {"acme": "acme-postgres", "globex": "globex-search"}
PORTS = {PLATFORM: 9001, "acme": 9002, "globex": 9003}
OWN_PORT = 8480
ADDRESSES = {name: f"http://127.0.0.1:{port}" for name, port in PORTS.items()}
SECRETS = {
    "PLATFORM_TOKEN": "platform-token",
    "API_TOKEN": "sandbox-api-token",
    "CLIENT_SECRET": "sandbox-client-secret",
    "HEROKU_HOOK": "hook-secret-of-the-platform",
}
CUSTOMERS = ("Mia Keller", "Tom Brooks", "Yuki Tanaka")
STAFF = ("Hana Sato", "Miguel Ortiz")
AGENTS = ("alice@acme.test", "bob@acme.test")
SYNCD = "syncd@acme.test"
#: The name of syncd's own account at the platform.
INTEGRATION = "integration-platform"
#: An account where syncd is an agent like the others, and somebody else the admin.
_WITHOUT_RIGHTS = (
    Person(name="syncd", email=SYNCD, role="agent", groups=("Heroku",)),
    Person(name="Alice Agent", email=AGENTS[0], role="agent", groups=("Heroku",)),
    Person(name="Bob Agent", email=AGENTS[1], role="agent", groups=("Heroku", "Support")),
    Person(name="Ada Admin", email="ada@acme.test", role="admin", groups=("Support",)),
)


class Desks:
    """The platform and its partners, in miniature."""

    def __init__(self, terms: Terms, loop: VirtualLoop, network: Network) -> None:
        self.terms = terms
        wire = Wire(network)
        time = LoopClock(loop, ahead_seconds=7.5)
        self.platform = PlatformSandbox(
            PlatformDesk(
                time=SandboxTime(now=time.time, sleep=time.sleep),
                seed=Seed(views=tuple(VIEWS.values())),
                quota=terms.per_minute,
                random_seed=terms.seed,
                transport=wire,
            ),
            seed=terms.seed,
        )
        self.partners = {name: self._partner(name, loop, wire) for name in terms.partners}
        for name, sandbox in self.all().items():
            network.apps[PORTS[name]] = sandbox
        if terms.hooks:
            self.control(PLATFORM, "POST", "/_sandbox/settings", {"webhooks": dict(terms.hooks)})

    def _partner(self, name: str, loop: VirtualLoop, wire: Wire) -> ZendeskSandbox:
        time = LoopClock(loop, ahead_seconds=-3.25)
        given: Json = {"seed": self.terms.seed, **self.terms.zendesk}
        if self.terms.per_minute > 10_000:
            given |= {"requests_per_minute": 1_000_000, "ticket_updates_per_minute": 1_000_000}
            given |= {"updates_per_ticket": 1_000_000, "exports_per_minute": 1_000_000}
        if given.pop("has_no_rights", False):
            given["people"] = _WITHOUT_RIGHTS
        return ZendeskSandbox(
            ZendeskSettings(**given),
            time=SandboxTime(now=time.time, sleep=time.sleep),
            transport=wire,
        )

    def all(self) -> Mapping[str, Sandbox]:
        """Every desk by its connection's name."""
        return {PLATFORM: self.platform, **self.partners}

    async def delivered(self) -> None:
        """Return once no webhook is on its way, those that were refused and go again included."""
        await self.platform.platform.courier.idle()
        for partner in self.partners.values():
            await partner.desk.webhooks.courier.idle()

    # --- acting as a person ----------------------------------------------------------------------

    def at_platform(self, who: str, do: str, **members: Any) -> Json | None:
        """Somebody acts at the platform's own pages; None when they cannot."""
        try:
            return act(self.platform.platform.register, {"as": who, "do": do, **members})
        except ActRefused:
            return None

    def at_partner(self, partner: str, who: str, **members: Any) -> Json | None:
        """Somebody acts in a partner's desk; the ticket, or None when the desk refuses."""
        shown = self.control(partner, "POST", "/_sandbox/act", {"as": who, **members})
        ticket: Json | None = shown.get("ticket")
        return ticket

    def control(self, desk: str, method: str, path: str, body: object = None) -> Json:
        """One of a desk's controls, by its own door."""
        controls = self.all()[desk].desk.controls
        found = controls.find(method, path)
        assert found is not None, path
        call = Call(
            number=0,
            method=method,
            path=path,
            template=found.route.template,
            parameters=found.parameters,
            body=json.dumps(body).encode(),
        )
        shown: Json = json.loads(found.route.handler(call).body)
        return shown

    # --- looking ---------------------------------------------------------------------------------

    def ticket(self, ticket_id: str) -> Json | None:
        """A ticket of the platform's with nothing hidden; None when it is not there."""
        if not ticket_id:
            return None
        shown = self.control(PLATFORM, "GET", f"/_sandbox/tickets/{ticket_id}")
        return None if "error" in shown else shown

    def twin_ids(self, partner: str, ticket_id: str) -> list[int]:
        """The partner's tickets that carry the key of a platform's ticket, oldest first."""
        key = f"syncd:{VIEWS[partner]}:{ticket_id}"
        tickets = self.partners[partner].desk.account.tickets.values()
        return [t.id for t in tickets if t.values["external_id"] == key]

    def twin(self, partner: str, ticket_id: str) -> Json | None:
        """The last of them, as it is shown."""
        ids = self.twin_ids(partner, ticket_id)
        return self.partner_ticket(partner, ids[-1]) if ids else None

    def partner_ticket(self, partner: str, ticket_id: int) -> Json:
        """One of the partner's tickets with nothing hidden."""
        return self.control(partner, "GET", f"/_sandbox/tickets/{ticket_id}")

    def texts(self, desk: str, ticket_id: str) -> list[str]:
        """What every comment of a ticket says, whoever may read it."""
        if desk == PLATFORM:
            updates = self.platform.platform.register.tickets[ticket_id].updates
            return [update.comment.body_html for update in updates if update.comment is not None]
        account = self.partners[desk].desk.account
        return [comment.html_body for comment in account.tickets[int(ticket_id)].comments]

    def state(self, desk: str) -> Json:
        """All that a desk holds."""
        return dict(self.all()[desk].desk.state())
