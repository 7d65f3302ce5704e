"""What a Store keeps of sightings, and which pairs it marks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.model import Audience, End, Role, Side, TicketId
from syncd.core.work import CursorMove, Step
from syncd.ports import Store
from tests.contract.store_story import (
    a_change,
    a_pair,
    a_twinned_pair,
    bodies,
    clean,
    load,
    see,
    see_partner,
    take,
)
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    PLATFORM,
    a_base,
    a_birth,
    a_comment,
    a_mapping,
    a_person,
    a_sighting,
    a_snapshot,
    a_status_update,
    a_ticket,
    a_whole_read,
    an_attachment,
    later,
)


class StoreMirrorSuite:
    async def test_a_birth_makes_a_dirty_pair_that_has_no_second_ticket(self, store: Store) -> None:
        sighting = a_whole_read(a_ticket("T1"), a_comment("1"))
        marked = await store.record_sightings(
            PLATFORM,
            [sighting],
            side=Side.PLATFORM,
            births=[a_birth("T1", is_silent=True)],
            seen_at=AT,
        )
        (pair_id,) = marked
        pair = (await load(store, pair_id)).pair
        assert pair.tickets == {Side.PLATFORM: "T1", Side.PARTNER: None}
        assert (pair.is_dirty, pair.is_silent_birth, pair.linked_since) == (True, True, AT)

    async def test_a_birth_that_exists_is_no_birth(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        marked = await store.record_sightings(
            PLATFORM, [a_whole_read()], side=Side.PLATFORM, births=[a_birth()], seen_at=AT
        )
        assert marked == frozenset()
        assert [pair.pair_id for pair in await store.find_pairs()] == [pair_id]

    async def test_one_ticket_is_born_into_pairs_of_several_links(self, store: Store) -> None:
        births = [a_birth(link="acme-postgres"), a_birth(link="other"), a_birth(link="other")]
        marked = await store.record_sightings(
            PLATFORM, [a_whole_read()], side=Side.PLATFORM, births=births, seen_at=AT
        )
        assert len(marked) == 2
        assert {p.link for p in await store.find_pairs(ticket_id=births[0].ticket_id)} == {
            "acme-postgres",
            "other",
        }

    async def test_a_birth_without_a_sighting_waits_for_its_fields(self, store: Store) -> None:
        (pair_id,) = await store.record_sightings(
            PLATFORM, [], side=Side.PLATFORM, births=[a_birth("T1")], seen_at=AT
        )
        assert (await load(store, pair_id)).snapshots[Side.PLATFORM] is None
        assert await see(store, a_sighting(a_ticket("T1"))) == {pair_id}

    async def test_a_ticket_that_nobody_holds_leaves_no_trace(self, store: Store) -> None:
        stranger = a_whole_read(a_ticket("T7"), a_comment("1"))
        assert await see(store, stranger) == frozenset()
        pair_id = await a_pair(store, a_sighting(a_ticket("T7", comments_as_of=0)))
        assert await bodies(store, pair_id) == {}

    async def test_a_ticket_of_an_ended_pair_leaves_no_trace(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(ends_pair=True))
        assert await see(store, a_change()) == frozenset()
        assert (await load(store, pair_id)).snapshots[Side.PLATFORM] == a_snapshot()

    async def test_only_tickets_of_living_pairs_are_known(self, store: Store) -> None:
        await a_twinned_pair(store)
        ended = await a_pair(store, a_whole_read(a_ticket("T2")))
        await take(store, ended, Step(ends_pair=True))
        asked = [TicketId(ticket_id) for ticket_id in ("T1", "T2", "9001", "7")]
        assert await store.known_tickets(PLATFORM, asked) == {"T1"}
        assert await store.known_tickets(PARTNER, asked) == {"9001"}

    async def test_open_tickets_come_in_order_and_leave_out_what_cannot_change(
        self, store: Store
    ) -> None:
        for number, end in enumerate((End.ALIVE, End.FINAL, End.DELETED, End.MERGED, End.GONE)):
            await a_pair(store, a_whole_read(a_ticket(f"T{number}", end=end)))
        ended = await a_pair(store, a_whole_read(a_ticket("T5")))
        await take(store, ended, Step(ends_pair=True))
        before = TicketId("")
        assert await store.open_tickets(PLATFORM, before, 9) == ["T0", "T2", "T4"]
        assert await store.open_tickets(PLATFORM, before, 2) == ["T0", "T2"]
        assert await store.open_tickets(PLATFORM, TicketId("T0"), 9) == ["T2", "T4"]
        assert await store.open_tickets(PARTNER, before, 9) == []

    async def test_equal_ids_on_two_connections_are_two_tickets(self, store: Store) -> None:
        await a_pair(store, a_whole_read(a_ticket("9001")))
        assert await see_partner(store, a_change("9001")) == frozenset()

    async def test_a_whole_read_comes_back_as_it_was_shown(self, store: Store) -> None:
        ticket = a_ticket(
            subject="Ünïcode 🐘 \x00 مرحبا",
            tags=["urgent", "product-x"],
            requester=a_person("Cora"),
            views=["acme-postgres"],
            metadata={"plan": "pro", "app": "shop"},
            metadata_as_of=later(5),
            url="https://desk.example/T1",
            status_update=a_status_update(update_id="u1"),
            fields_as_of=7,
        )
        comments = (
            a_comment("1", "<p>" + "x" * 65_536 + "</p>"),
            a_comment(
                "2",
                author=a_person("Ada", Role.AGENT),
                audience=Audience.SHARED,
                views=["acme-postgres"],
                update_id="u1",
                writer_id="agent-1",
                stamp="s",
                attachments=(an_attachment("a.txt"), an_attachment("b.txt", attachment_id="a2")),
            ),
        )
        pair_id = await a_pair(store, a_whole_read(ticket, *comments))
        run = await load(store, pair_id)
        assert run.snapshots[Side.PLATFORM] == a_snapshot(ticket, *comments)

    async def test_comments_come_in_the_desks_order(self, store: Store) -> None:
        shown = (a_comment("10", at=AT), a_comment("9", at=AT), a_comment("1", at=later(60)))
        pair_id = await a_pair(store, a_whole_read(None, *shown))
        snapshot = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert [comment.comment_id for comment in snapshot.comments] == ["9", "10", "1"]

    async def test_text_that_is_no_text_is_stored_with_a_mark(self, store: Store) -> None:
        sighting = a_whole_read(a_ticket(subject="a\ud800b"), a_comment("1", "\udfff"))
        pair_id = await a_pair(store, sighting)
        snapshot = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert snapshot.ticket.subject == "a?b"
        assert await bodies(store, pair_id) == {"1": "?"}
        await clean(store, pair_id)
        assert await see(store, sighting) == frozenset()

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "Closed"},
            {"tags": frozenset({"urgent"})},
            {"subject": "Another one"},
            {"views": frozenset({"acme-postgres"})},
            {"end": End.DELETED},
            {"metadata": (("plan", "pro"),)},
        ],
        ids="-".join,
    )
    async def test_a_change_that_matters_marks_the_pair(
        self, store: Store, change: dict[str, object]
    ) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        shown = replace(a_ticket(fields_as_of=2), **change)  # type: ignore[arg-type]
        assert await see(store, a_sighting(shown)) == {pair_id}
        assert (await load(store, pair_id)).pair.is_dirty

    async def test_knowing_more_surely_is_stored_and_marks_nothing(self, store: Store) -> None:
        pair_id = await a_pair(store, a_sighting(a_ticket(is_confirmed=False, comments_as_of=0)))
        await clean(store, pair_id)
        assert await see(store, a_sighting(a_ticket(), covers=(0, 9))) == frozenset()
        snapshot = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert (snapshot.ticket.is_confirmed, snapshot.ticket.comments_as_of) == (True, 9)

    async def test_an_old_sighting_changes_nothing(self, store: Store) -> None:
        pair_id = await a_pair(store, a_whole_read(a_ticket(fields_as_of=5)))
        await clean(store, pair_id)
        old = a_sighting(a_ticket(status="Closed", fields_as_of=4))
        assert await see(store, old) == frozenset()

    async def test_two_readings_of_one_instant_that_differ_mark_the_pair(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        assert await see(store, a_sighting(a_ticket(status="Closed"))) == {pair_id}
        snapshot = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert snapshot.ticket.is_stale

    async def test_a_comment_that_is_only_spoken_of_marks_once(self, store: Store) -> None:
        pair_id = await a_pair(store, a_whole_read(None, a_comment("1")))
        await clean(store, pair_id)
        assert await see(store, a_sighting("T1", hinted=["1"])) == frozenset()
        assert await see(store, a_sighting("T1", hinted=["1", "2"])) == {pair_id}
        await clean(store, pair_id)
        assert await see(store, a_sighting("T1", hinted=["2"])) == frozenset()

    async def test_our_own_copy_that_is_spoken_of_is_no_hint(self, store: Store) -> None:
        base = a_base(a_mapping("1", "101"))
        pair_id = await a_twinned_pair(store, a_whole_read(None, a_comment("1")), base=base)
        assert await see_partner(store, a_sighting("9001", hinted=["101"])) == frozenset()
        snapshot = (await load(store, pair_id)).snapshots[Side.PARTNER]
        assert snapshot is not None
        assert not snapshot.ticket.is_comment_hinted

    async def test_a_new_comment_marks_the_pair_once(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        assert await see(store, a_sighting("T1", a_comment("1"))) == {pair_id}
        await clean(store, pair_id)
        assert await see(store, a_sighting("T1", a_comment("1"))) == frozenset()

    async def test_a_comment_made_private_marks_the_pair(self, store: Store) -> None:
        pair_id = await a_pair(store, a_whole_read(None, a_comment("1")))
        await clean(store, pair_id)
        private = a_comment("1", audience=Audience.SHARED)
        assert await see(store, a_sighting("T1", private)) == {pair_id}
        await clean(store, pair_id)
        # An audience only narrows: showing the old one again changes nothing.
        assert await see(store, a_sighting("T1", a_comment("1"))) == frozenset()

    async def test_comments_before_any_fields_are_left_to_a_read(self, store: Store) -> None:
        (pair_id,) = await store.record_sightings(
            PLATFORM, [], side=Side.PLATFORM, births=[a_birth()], seen_at=AT
        )
        await clean(store, pair_id)
        assert await see(store, a_sighting("T1", a_comment("1"), covers=(0, 9))) == {pair_id}
        await see(store, a_sighting(a_ticket("T1")))
        snapshot = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert (snapshot.comments, snapshot.ticket.comments_as_of) == ((), 0)

    async def test_a_change_marks_every_pair_of_the_ticket(self, store: Store) -> None:
        one, two = await a_pair(store, link="one"), await a_pair(store, link="two")
        await clean(store, one)
        await clean(store, two)
        assert await see(store, a_change()) == {one, two}

    async def test_the_cursor_moves_with_its_sightings(self, store: Store) -> None:
        assert await store.load_cursor(PLATFORM, "updates") is None
        for cursor in ("c1", "c2"):
            await store.record_sightings(
                PLATFORM,
                [],
                side=Side.PLATFORM,
                cursor=CursorMove(feed="updates", cursor=cursor),
                seen_at=AT,
            )
        assert await store.load_cursor(PLATFORM, "updates") == "c2"
        assert await store.load_cursor(PLATFORM, "other") is None
        assert await store.load_cursor(PARTNER, "updates") is None

    # --- bodies ----------------------------------------------------------------------------------

    async def test_a_delivered_comment_loses_its_body_on_both_sides(self, store: Store) -> None:
        shown = a_whole_read(None, a_comment("1"), a_comment("2"))
        pair_id = await a_twinned_pair(store, shown)
        copy = a_sighting("9001", a_comment("101"), a_comment("102"))
        step = Step(sightings={PARTNER: (copy,)}, base=a_base(a_mapping("1", "101")))
        await take(store, pair_id, step)
        assert set(await bodies(store, pair_id)) == {"2"}
        assert set(await bodies(store, pair_id, Side.PARTNER)) == {"102"}

    async def test_a_body_shown_again_after_delivery_is_not_stored(self, store: Store) -> None:
        base = a_base(a_mapping("1", "101"))
        pair_id = await a_twinned_pair(store, a_whole_read(None, a_comment("1")), base=base)
        assert await see(store, a_whole_read(None, a_comment("1"))) == frozenset()
        copy = a_comment("101", stamp="s")
        assert await see_partner(store, a_sighting("9001", copy)) == frozenset()
        assert await bodies(store, pair_id) == {}
        assert await bodies(store, pair_id, Side.PARTNER) == {}

    async def test_our_copy_that_came_out_wider_marks_the_pair(self, store: Store) -> None:
        base = a_base(a_mapping("1", "101", audience=Audience.SHARED))
        pair_id = await a_twinned_pair(store, a_whole_read(None, a_comment("1")), base=base)
        assert await see_partner(store, a_sighting("9001", a_comment("101"))) == {pair_id}

    async def test_a_body_stays_until_the_last_link_has_delivered_it(self, store: Store) -> None:
        one = await a_pair(store, a_whole_read(None, a_comment("1")), link="one")
        two = await a_pair(store, a_whole_read(None, a_comment("1")), link="two")
        await take(store, one, Step(base=a_base(a_mapping("1", "101"))))
        assert set(await bodies(store, one)) == {"1"}
        await take(store, two, Step(base=a_base(a_mapping("1", "501"))))
        assert await bodies(store, one) == {}

    async def test_a_body_that_went_comes_back_for_a_later_link(self, store: Store) -> None:
        one = await a_pair(store, a_whole_read(None, a_comment("1")), link="one")
        await take(store, one, Step(base=a_base(a_mapping("1", "101"))))
        two = await a_pair(store, a_sighting(a_ticket()), link="two")
        snapshot = (await load(store, two)).snapshots[Side.PLATFORM]
        assert snapshot is not None
        assert snapshot.ticket.comments_as_of == 0, "the thread counts as unread"
        await see(store, a_whole_read(None, a_comment("1")))
        assert set(await bodies(store, two)) == {"1"}

    async def test_an_ended_pair_lets_go_of_what_it_never_delivered(self, store: Store) -> None:
        pair_id = await a_pair(store, a_whole_read(None, a_comment("1")), link=LINK)
        await take(store, pair_id, Step(ends_pair=True))
        assert await bodies(store, pair_id) == {}
