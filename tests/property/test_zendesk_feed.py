"""Whatever happens on an account and to its feed, the mirror ends equal to the desk.

The real connector reads the desk in miniature in small pages: several changes in a second, answers
lost, slow or with a broken row, restarts that forget the page in hand, a desk whose clock is
minutes off and which withholds less or more than it says. The mirror is the core's own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox import SandboxTime
from connectors.zendesk.mapping import second_of
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings
from connectors.zendesk.sandbox.records import Ticket as DeskTicket
from syncd.core.errors import RemoteError
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, End, Sighting, Snapshot, TicketId
from syncd.ports import Read
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import AGENT, CUSTOMER, TOKEN, a_connector

Json = dict[str, Any]
ADDRESS = "https://acme.test"
#: Ours are the first three; the fourth may become ours, the last never does.
OURS, JOINING, TICKETS = 3, 3, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Somebody does something to a ticket."""

    ticket: int
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One page of the feed, and what goes wrong with it."""

    accident: str = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settle:
    """What the mirror asks for is read, as a run of the pair would."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Join:
    """A ticket becomes one of ours, and is read as it is then."""


Step = Deed | Pause | Look | Settle | Join
KINDS = (
    "public", "private", "status", "tags", "quiet", "restrict", "delete", "restore", "scrub",
)  # fmt: skip
deeds = st.builds(
    Deed,
    ticket=st.integers(0, TICKETS - 1),
    kind=st.sampled_from(["public", "private", "tags", *KINDS]),
)
pauses = st.builds(Pause, seconds=st.sampled_from([0.5, 1, 7, 30, 62, 300]))
looks = st.builds(
    Look,
    accident=st.sampled_from(["none", "none", "none", "lost", "forgotten", "garbled", "slow"]),
)
steps = st.lists(
    st.one_of(deeds, deeds, deeds, pauses, looks, looks, st.just(Settle()), st.just(Join())),
    max_size=40,
)


class Line(httpx.AsyncBaseTransport):
    """The way to the desk, on which the next export may have an accident."""

    def __init__(self, sandbox: ZendeskSandbox, clock: FakeClock) -> None:
        self._inner = httpx.ASGITransport(app=sandbox)
        self._clock = clock
        self.accident = "none"
        self.garbled: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if "/incremental/" not in request.url.path:
            return answer
        if self.accident == "slow":
            self._clock.advance(9)
        if self.accident == "lost":
            raise httpx.ReadError("the answer is lost")
        if self.accident != "garbled" or answer.status_code != 200:
            return answer
        body = self._garbled(await answer.aread())
        # As from a socket: what is given as `content` counts as read already.
        stream = httpx.ByteStream(body)
        return httpx.Response(200, headers={"date": answer.headers["date"]}, stream=stream)

    def _garbled(self, body: bytes) -> bytes:
        page = json.loads(body)
        rows = page.get("tickets") or page.get("ticket_events") or []
        for row in rows[::2]:
            self.garbled.add(str(row.get("ticket_id", row["id"])))
            row |= {"updated_at": "soon", "child_events": 7}
        return json.dumps(page).encode()


class Watch:
    """One account, the connector that follows it, and the mirror that its sightings make."""

    def __init__(self, *, rows: int, withheld: float, ahead: float) -> None:
        self.clock = FakeClock()
        self.sandbox = ZendeskSandbox(
            ZendeskSettings(
                requests_per_minute=100_000,
                exports_per_minute=100_000,
                export_page_rows=rows,
                withheld_seconds=withheld,
                triggers=(),
            ),
            time=SandboxTime(now=lambda: self.clock.time() + ahead, sleep=self.clock.sleep),
        )
        self._withheld = withheld
        self._line = Line(self.sandbox, self.clock)
        self.control = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.sandbox),
            base_url=ADDRESS,
            auth=("syncd@acme.test/token", TOKEN),
        )
        self._connect()
        self.cursor: str | None = None
        self.ids: list[TicketId] = []
        self.wanted: set[TicketId] = set()
        self.mirror: dict[TicketId, Snapshot] = {}
        self._said = 0

    def _connect(self) -> None:
        async def wanted(ids: Sequence[TicketId]) -> Collection[TicketId]:
            return self.wanted.intersection(ids)

        self._connector = a_connector(
            ADDRESS, self.clock, token=TOKEN, wanted=wanted, transport=self._line
        )

    async def begin(self) -> None:
        for number in range(TICKETS):
            deed = {"do": "create", "subject": f"No. {number}", "comment": {"text": "0"}}
            self.ids.append(TicketId(str((await self._act(CUSTOMER, **deed))["id"])))
        self.clock.advance(2)
        for ticket_id in self.ids[:OURS]:
            await self.join(ticket_id)
        await self.page("none")

    async def join(self, ticket_id: TicketId) -> None:
        sighting = await self._connector.fetch(ticket_id, Read.WHOLE)
        if sighting is not None:
            self.wanted.add(ticket_id)
            self.see(sighting)

    # --- the desk --------------------------------------------------------------------------------

    def shown(self, ticket_id: TicketId) -> DeskTicket:
        return self.sandbox.desk.account.tickets[int(ticket_id)]

    async def deed(self, deed: Deed) -> None:
        ticket = self.shown(self.ids[deed.ticket])
        is_gone = ticket.deleted_at is not None
        if is_gone != (deed.kind in {"restore", "scrub"}) or ticket.is_scrubbed:
            return
        self._said += 1
        word = f"{self._said}"
        public = [c for c in ticket.comments if c.is_public]
        match deed.kind:
            case "public" | "private":
                comment = {"text": word, "public": deed.kind == "public"}
                given: Json = {"comment": comment}
            case "status":
                given = {"status": "pending" if ticket.status == "open" else "open"}
            case "tags" | "quiet":
                given = {"add_tags": [f"t{word}"], "quiet": deed.kind == "quiet"}
            case "restrict" if public:
                given = {"do": "make_private", "comment_id": public[-1].id}
            case "restrict":
                return
            case _:
                given = {"do": deed.kind}
        await self._act(AGENT, ticket_id=ticket.id, **given)

    async def _act(self, who: str, **deed: Any) -> Json:
        answer = await self.control.post("/_sandbox/act", json={"as": who, **deed})
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()["ticket"]
        return shown

    # --- the feed --------------------------------------------------------------------------------

    async def page(self, accident: str) -> bool:
        """Read one page; whether that was the end of the feed for now."""
        self._line.accident = accident
        try:
            changes = await self._connector.read_changes(self.cursor)
        except RemoteError:
            assert accident == "lost"
            return False
        finally:
            self._line.accident = "none"
        if accident == "forgotten":
            # Killed before the page was stored: the next process knows nothing of it.
            await self._connector.close()
            self._connect()
            return False
        for sighting in changes.sightings:
            self.see(sighting)
        self.cursor = changes.cursor
        self.check_claims()
        return changes.is_end

    def see(self, sighting: Sighting) -> None:
        merged = merge_snapshot(self.mirror.get(sighting.ticket_id), sighting)
        if merged is not None:
            self.mirror[sighting.ticket_id] = merged

    async def settle(self) -> None:
        """Read what the mirror says that it lacks."""
        for ticket_id in sorted(self.wanted):
            ticket = self.mirror[ticket_id].ticket
            if ticket.is_stale:
                await self._read(ticket_id, Read.FIELDS)
            ticket = self.mirror[ticket_id].ticket
            if ticket.end is End.ALIVE and (ticket.comments_as_of == 0 or ticket.hinted):
                await self._read(ticket_id, Read.THREAD)

    async def _read(self, ticket_id: TicketId, read: Read) -> None:
        ticket = self.mirror[ticket_id].ticket
        sighting = await self._connector.fetch(
            ticket_id, read, comments_as_of=ticket.comments_as_of
        )
        gone = Sighting(ticket_id=ticket_id, ticket=replace(ticket, end=End.GONE), is_read=True)
        self.see(sighting or gone)

    async def finish(self) -> None:
        """The feed is followed until it has nothing more, and only then is anything read."""
        ends: list[str | None] = [None]
        for _ in range(400):
            if not await self.page("none"):
                continue
            ends.append(self.cursor)
            if ends[-3:-1] == [self.cursor, self.cursor]:
                break
            self.clock.advance(self._withheld + 62)
        else:
            raise AssertionError("the feed has no end")
        self.check_brought()
        await self.settle()
        await self.settle()
        self.check_equal()
        await self._connector.close()
        await self.control.aclose()
        await self.sandbox.close()

    # --- what must hold --------------------------------------------------------------------------

    def check_claims(self) -> None:
        """No stretch that was proven lacks a comment."""
        if self._withheld > 60:
            # It withholds for longer than it says: for a while more is believed than was shown.
            return
        for ticket_id in self.wanted:
            known = self.mirror[ticket_id]
            held = {comment.comment_id for comment in known.comments}
            due = [
                comment.id
                for comment in self.shown(ticket_id).comments
                if comment.created_at <= known.ticket.comments_as_of
            ]
            assert [number for number in due if str(number) not in held] == []

    def check_brought(self) -> None:
        """The feed alone brought every comment of every ticket whose rows could be read."""
        for ticket_id in self.wanted.difference(self._line.garbled):
            held = {comment.comment_id for comment in self.mirror[ticket_id].comments}
            there = {str(comment.id) for comment in self.shown(ticket_id).comments}
            assert there <= held

    def check_equal(self) -> None:
        """The mirror shows what the desk shows, and knows that it does."""
        for ticket_id in self.wanted:
            there, known = self.shown(ticket_id), self.mirror[ticket_id]
            ticket = known.ticket
            if there.deleted_at is not None:
                assert ticket.end in {End.DELETED, End.GONE}
                continue
            assert (ticket.status, ticket.tags) == (there.status, frozenset(there.tags))
            assert (ticket.end, ticket.is_stale, ticket.hinted) == (End.ALIVE, False, frozenset())
            assert second_of(ticket.updated_at) == there.updated_at <= ticket.comments_as_of
            assert [(c.comment_id, c.audience) for c in known.comments] == [
                (str(c.id), Audience.PUBLIC if c.is_public else Audience.SHARED)
                for c in there.comments
            ]


async def live(watch: Watch, step: Step) -> None:
    match step:
        case Deed():
            await watch.deed(step)
        case Pause():
            watch.clock.advance(step.seconds)
        case Look():
            await watch.page(step.accident)
        case Settle():
            await watch.settle()
        case Join():
            await watch.join(watch.ids[JOINING])


@given(
    history=steps,
    rows=st.sampled_from([1, 2, 3, 1000]),
    withheld=st.sampled_from([60, 60, 20, 75]),
    ahead=st.sampled_from([0, 0, 240, -240]),
)
async def test_the_mirror_ends_equal_to_the_desk_whatever_happens_to_its_feed(
    history: list[Step], rows: int, withheld: float, ahead: float
) -> None:
    watch = Watch(rows=rows, withheld=withheld, ahead=ahead)
    await watch.begin()
    for step in history:
        await live(watch, step)
    await watch.finish()
