"""Files travel with their comments, both ways; what cannot leaves a line that says why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import AGENT, CUSTOMER, STAFF, BothDesks, both_desks
from tests.engine.sending_files import (
    CONTENT,
    DIRECTIONS,
    EICAR,
    UPLOAD,
    WRITE,
    a_file,
    a_pair,
    copies,
    everything_there,
    said_there,
    send,
)

both_ways = pytest.mark.parametrize("origin", DIRECTIONS)


async def is_at_rest(desks: BothDesks, ticket_id: str) -> None:
    """Assert that the pair is in step and that nothing more is asked of any desk."""
    assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
    before = desks.writes()
    await desks.settle()
    assert desks.writes() == before


# --- they travel ---------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("is_public", [True, False])
async def test_files_arrive_with_their_comment_in_order_and_for_its_audience(
    tmp_path: Path, origin: Side, *, is_public: bool
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        files = [a_file("b.log", "das Ende vom Lied"), a_file("a.log", "der Anfang davon")]
        await send(desks, origin, ticket_id, "<p>siehe hier</p>", *files, is_public=is_public)
        await desks.settle()

        found = copies(desks, origin, ticket_id)
        assert [(f.name, f.content.decode(), f.is_public) for f in found] == [
            ("b.log", "das Ende vom Lied", is_public),
            ("a.log", "der Anfang davon", is_public),
        ]
        assert all("siehe hier" in f.words for f in found)
        assert "b.log" not in found[0].words
        assert len(said_there(desks, origin, ticket_id, "siehe hier")) == 1
        await is_at_rest(desks, ticket_id)


@both_ways
async def test_a_file_without_any_text_arrives(tmp_path: Path, origin: Side) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "", a_file("bild.png", "viele bunte Punkte"))
        await desks.settle()
        assert [f.name for f in copies(desks, origin, ticket_id)] == ["bild.png"]
        await is_at_rest(desks, ticket_id)


async def test_the_first_message_brings_its_files_to_the_birth(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>von Anfang an</p>", attachments=[a_file("eins.txt")])
        await desks.settle()
        (copy,) = copies(desks, Side.PLATFORM, ticket_id)
        assert (copy.name, copy.content) == ("eins.txt", b"Zeile um Zeile")
        assert "von Anfang an" in copy.words
        await is_at_rest(desks, ticket_id)


@both_ways
async def test_the_copy_of_a_file_never_comes_back(tmp_path: Path, origin: Side) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>hin und her</p>", a_file())
        await desks.settle()
        await send(desks, origin.other, ticket_id, "<p>danke sehr</p>")
        await desks.settle()
        assert len(copies(desks, origin, ticket_id)) == 1
        # On its own desk it still is the one that a person attached.
        assert len(copies(desks, origin.other, ticket_id)) == 1
        await is_at_rest(desks, ticket_id)


async def test_equal_files_for_two_partners_are_two_copies(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        ticket_id = await a_pair(desks)
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view="globex-search")
        await desks.settle()
        comment = {"body_html": "<p>an alle beide</p>", "attachments": [a_file()]}
        desks.act(CUSTOMER, "update", ticket_id=ticket_id, comment=comment)
        await desks.settle()
        for partner in ("acme", "globex"):
            (there,) = desks.heard(ticket_id, "an alle beide", partner)
            assert [f.content for f in there.attachments] == [b"Zeile um Zeile"]


@both_ways
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\cmd.exe", "cmd.exe"),
        ("fu\u202etxt.exe", "futxt.exe"),
        ('a"; filename="b.txt\r\nX-Evil: 1', "a__ filename=_b.txtX-Evil_ 1"),
        ("報告書.pdf", "報告書.pdf"),
        ("x" * 300 + ".log", "x" * 116 + ".log"),
    ],
)
async def test_hostile_names_arrive_harmless(
    tmp_path: Path, origin: Side, name: str, expected: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>harmlos genug</p>", a_file(name))
        await desks.settle()
        assert [f.name for f in copies(desks, origin, ticket_id)] == [expected]


async def test_a_carried_file_costs_one_fetch_and_one_upload(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>was es kostet</p>", a_file())
        desks.forget_requests()
        await desks.settle()
        fetched = [t for m, t in desks.requests(Side.PARTNER) if m == "GET" and "attachments" in t]
        written = [(m, t) for m, t in desks.requests(Side.PLATFORM) if m == "PUT"]
        assert fetched == ["/attachments/token/{key}/"], "that it is clean was known"
        assert written == [
            ("PUT", "/attachments/{attachment_id}/content"),
            ("PUT", "/tickets/{ticket_id}/updates/{update_id}"),
        ]


# --- they may not --------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ("max_size: 1KB", "too large"),
        ("types: {deny: ['*.log']}", "this type"),
        ("types: {allow: ['image/*']}", "this type"),
        ("direction: none", "not carried over"),
    ],
)
async def test_a_file_that_a_rule_refuses_leaves_name_size_and_reason(
    tmp_path: Path, origin: Side, rules: str, reason: str
) -> None:
    async with both_desks(tmp_path, link=f"attachments: {{{rules}}}") as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>nur der Text</p>", a_file(text="x" * 1500))
        await desks.settle()
        assert copies(desks, origin, ticket_id) == []
        (there,) = said_there(desks, origin, ticket_id, "nur der Text")
        assert "spur.log" in there
        assert "1.5 KB" in there
        assert reason in there
        uploads = [m for m, t in desks.requests(origin.other) if "upload" in t or "content" in t]
        assert uploads == []


async def test_a_file_with_malware_stays_where_it_is(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>sieh mal hier</p>", a_file("x.zip", EICAR))
        await desks.settle()
        assert copies(desks, Side.PARTNER, ticket_id) == []
        (there,) = said_there(desks, Side.PARTNER, ticket_id, "sieh mal hier")
        assert "malware" in there
        fetched = [t for _, t in desks.requests(Side.PARTNER) if "token" in t]
        assert fetched == [], "it was not even fetched"


async def test_a_type_that_zendesk_refuses_is_told_in_the_comment(tmp_path: Path) -> None:
    async with both_desks(tmp_path, refused_file_types=".log,.exe") as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PLATFORM, ticket_id, "<p>und der Text</p>", a_file())
        await desks.settle()
        (there,) = said_there(desks, Side.PLATFORM, ticket_id, "und der Text")
        assert "did not accept" in there
        assert copies(desks, Side.PLATFORM, ticket_id) == []
        await is_at_rest(desks, ticket_id)


async def test_a_file_from_a_host_that_is_not_allowed_is_not_fetched(tmp_path: Path) -> None:
    async with both_desks(tmp_path, file_host="https://evil.example/files") as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>von woanders</p>", a_file())
        await desks.settle()
        (there,) = said_there(desks, Side.PARTNER, ticket_id, "von woanders")
        assert "could not be fetched" in there
        assert "evil.example" not in there


async def test_a_placeholder_never_shows_an_address_that_opens_the_file(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link="attachments: {direction: none}") as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>ohne Schlüssel</p>", a_file())
        await send(desks, Side.PLATFORM, ticket_id, "<p>mit Adresse</p>", a_file("plan.pdf"))
        await desks.settle()
        (there,) = said_there(desks, Side.PARTNER, ticket_id, "ohne Schlüssel")
        assert "http" not in there
        (there,) = said_there(desks, Side.PLATFORM, ticket_id, "mit Adresse")
        assert "https://support.platform.example/attachments/" in there
        assert "token" not in everything_there(desks, Side.PARTNER, ticket_id)


async def test_more_files_than_a_comment_holds_leave_lines_for_the_rest(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        files = [a_file(f"nr-{number:02}.log", f"Teil {number:02}") for number in range(25)]
        await send(desks, Side.PLATFORM, ticket_id, "<p>alles auf einmal</p>", *files)
        desks.said[:] = desks.said[:3]
        await desks.settle()
        assert len(copies(desks, Side.PLATFORM, ticket_id)) == 20
        (there,) = said_there(desks, Side.PLATFORM, ticket_id, "alles auf einmal")
        assert "nr-24.log" in there
        assert "nr-19.log" not in there


# --- they come later -----------------------------------------------------------------------------


@pytest.mark.parametrize("is_public", [True, False])
async def test_a_file_that_is_still_scanned_follows_its_text(
    tmp_path: Path, *, is_public: bool
) -> None:
    async with both_desks(tmp_path, scan_seconds=400.0) as desks:
        ticket_id = await a_pair(desks)
        html = "<p>der Text ist da</p>"
        await send(desks, Side.PARTNER, ticket_id, html, a_file(), is_public=is_public)
        await desks.round()
        (there,) = said_there(desks, Side.PARTNER, ticket_id, "der Text ist da")
        assert "being scanned" in there
        assert copies(desks, Side.PARTNER, ticket_id) == []

        await desks.settle()

        (copy,) = copies(desks, Side.PARTNER, ticket_id)
        assert (copy.content, copy.is_public) == (b"Zeile um Zeile", is_public)
        assert "spur.log" in copy.words
        assert "Alice Agent" in copy.words
        assert len(said_there(desks, Side.PARTNER, ticket_id, "der Text ist da")) == 1
        await is_at_rest(desks, ticket_id)


async def test_a_file_in_which_the_late_scan_finds_malware_is_told(tmp_path: Path) -> None:
    async with both_desks(tmp_path, scan_seconds=400.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>na warte</p>", a_file("x.zip", EICAR))
        await desks.settle()
        assert copies(desks, Side.PARTNER, ticket_id) == []
        (told,) = said_there(desks, Side.PARTNER, ticket_id, "malware.</p>")
        assert "x.zip" in told
        await is_at_rest(desks, ticket_id)


async def test_a_desk_that_does_not_say_whether_a_scan_is_over_has_not_said_that_it_is(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, scan_seconds=900.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>na warte</p>", a_file("x.zip", EICAR))
        desks.arm(Side.PARTNER, "status", path="/api/v2/attachments/", times=9)
        for _ in range(3):
            await desks.round()
        desks.disarm()
        fetched = [t for _, t in desks.requests(Side.PARTNER) if "token" in t]
        assert fetched == []
        await desks.settle()
        assert copies(desks, Side.PARTNER, ticket_id) == []


async def test_a_file_that_is_never_scanned_is_given_up_with_a_note(tmp_path: Path) -> None:
    lines = "attachments: {give_up_after: 20m}"
    async with both_desks(tmp_path, link=lines, scan_seconds=-1.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>ewig geprüft</p>", a_file())
        await desks.settle()
        assert copies(desks, Side.PARTNER, ticket_id) == []
        (told,) = said_there(desks, Side.PARTNER, ticket_id, "could not be scanned")
        assert "spur.log" in told
        await is_at_rest(desks, ticket_id)


async def test_unscanned_files_travel_where_the_link_says_so(tmp_path: Path) -> None:
    lines = "attachments: {unscanned: carry}"
    async with both_desks(tmp_path, link=lines, scan_seconds=-1.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>ungeprüft</p>", a_file())
        await desks.settle()
        (copy,) = copies(desks, Side.PARTNER, ticket_id)
        assert "ungeprüft" in copy.words


@both_ways
@pytest.mark.parametrize("status", [500, 503, 429, 403])
async def test_a_file_that_cannot_be_fetched_now_follows(
    tmp_path: Path, origin: Side, status: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>geht es gleich</p>", a_file())
        desks.arm(
            origin, "status", status=status, path=CONTENT[origin], methods=frozenset({"GET"}),
            headers=(("retry-after", "3"),),
        )  # fmt: skip
        await desks.round()
        (there,) = said_there(desks, origin, ticket_id, "geht es gleich")
        assert "follows by itself" in there
        await desks.settle()
        (copy,) = copies(desks, origin, ticket_id)
        assert copy.content == b"Zeile um Zeile"
        await is_at_rest(desks, ticket_id)


@both_ways
@pytest.mark.parametrize("action", ["drop_before", "drop_after", "html", "truncate"])
async def test_an_upload_whose_answer_is_lost_ends_in_one_copy(
    tmp_path: Path, origin: Side, action: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>einmal genügt</p>", a_file())
        target = origin.other
        methods = frozenset({"PUT", "POST"})
        desks.arm(target, action, path=UPLOAD[target], methods=methods, status=502)
        await desks.settle()
        (copy,) = copies(desks, origin, ticket_id)
        assert copy.content == b"Zeile um Zeile"
        assert len(said_there(desks, origin, ticket_id, "einmal genügt")) == 1
        await is_at_rest(desks, ticket_id)


@both_ways
@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
async def test_a_comment_whose_answer_is_lost_brings_its_file_once(
    tmp_path: Path, origin: Side, action: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>nicht doppelt</p>", a_file())
        target = origin.other
        desks.arm(target, action, path=WRITE[target], methods=frozenset({"PUT"}))
        await desks.settle()
        assert len(copies(desks, origin, ticket_id)) == 1
        assert len(said_there(desks, origin, ticket_id, "nicht doppelt")) == 1
        await is_at_rest(desks, ticket_id)


@both_ways
async def test_a_late_file_whose_answer_is_lost_comes_once(tmp_path: Path, origin: Side) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>spät und einmal</p>", a_file())
        desks.arm(origin, "status", path=CONTENT[origin], methods=frozenset({"GET"}))
        await desks.round()
        target = origin.other
        desks.arm(target, "drop_after", path=WRITE[target], methods=frozenset({"PUT"}))
        await desks.settle()
        (copy,) = copies(desks, origin, ticket_id)
        assert "spur.log" in copy.words
        await is_at_rest(desks, ticket_id)


@both_ways
async def test_a_run_that_dies_between_upload_and_write_is_made_good(
    tmp_path: Path, origin: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, origin, ticket_id, "<p>mitten darin</p>", a_file())
        target = origin.other
        methods = frozenset({"PUT", "POST"})
        desks.arm(target, "hold_after", path=UPLOAD[target], methods=methods)
        desks.clock.advance(70)
        await desks.poll()
        run = asyncio.create_task(desks.run_due())
        assert await desks.desk(target).held.wait(10)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

        await desks.settle()

        assert [c.content for c in copies(desks, origin, ticket_id)] == [b"Zeile um Zeile"]
        assert len(said_there(desks, origin, ticket_id, "mitten darin")) == 1


@pytest.mark.parametrize("is_always", [False, True])
async def test_an_upload_that_is_gone_when_the_comment_comes_is_made_again_or_follows(
    tmp_path: Path, *, is_always: bool
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PLATFORM, ticket_id, "<p>schon verfallen</p>", a_file())
        spent = {
            "error": "RecordInvalid",
            "details": {"base": [{"description": "Upload: is invalid or has expired"}]},
        }
        desks.arm(
            Side.PARTNER, "status", status=422, body=spent, path=WRITE[Side.PARTNER],
            methods=frozenset({"PUT"}), times=2 if is_always else 1,
        )  # fmt: skip
        await desks.settle()
        (there,) = said_there(desks, Side.PLATFORM, ticket_id, "schon verfallen")
        assert ("follows" in there) is is_always
        assert len(copies(desks, Side.PLATFORM, ticket_id)) == 1
        await is_at_rest(desks, ticket_id)


async def test_a_comment_made_private_meanwhile_has_its_late_file_in_private(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, scan_seconds=400.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>doch lieber nicht</p>", a_file())
        await desks.round()
        (comment,) = desks.heard(ticket_id, "doch lieber nicht")
        deed = {
            "as": "alice@acme.test",
            "do": "make_private",
            "ticket_id": desks.twin(ticket_id).id,
        }
        await desks.agent_does("acme", deed | {"comment_id": comment.id})
        await desks.settle()
        (copy,) = copies(desks, Side.PARTNER, ticket_id)
        assert not copy.is_public


async def test_a_text_that_follows_does_not_wait_for_the_file_before_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path, scan_seconds=2000.0) as desks:
        ticket_id = await a_pair(desks)
        await send(desks, Side.PARTNER, ticket_id, "<p>Nummer eins</p>", a_file())
        await send(desks, Side.PARTNER, ticket_id, "<p>Nummer zwei</p>", status="pending")
        await desks.round()
        assert len(said_there(desks, Side.PARTNER, ticket_id, "Nummer zwei")) == 1
        assert desks.ticket(ticket_id).status == "With customer"
        await send(desks, Side.PARTNER, ticket_id, "<p>Nummer drei</p>")
        await desks.round()
        assert len(said_there(desks, Side.PARTNER, ticket_id, "Nummer drei")) == 1
        await desks.settle()
        assert len(copies(desks, Side.PARTNER, ticket_id)) == 1


async def test_a_picture_in_a_text_travels_as_a_file_and_its_address_does_not(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        control = desks.controls["acme"]
        up = await control.post("/api/v2/uploads", params={"filename": "bild.png"}, content=b"PNG")
        upload = up.json()["upload"]
        url = upload["attachment"]["content_url"]
        comment = {"html": f'<p>so sieht es aus</p><img src="{url}">', "uploads": [upload["token"]]}
        twin = desks.twin(ticket_id)
        await desks.agent_does("acme", {"as": AGENT, "ticket_id": twin.id, "comment": comment})
        await desks.settle()
        (copy,) = copies(desks, Side.PARTNER, ticket_id)
        assert (copy.name, copy.content) == ("bild.png", b"PNG")
        assert "/attachments/token/" not in everything_there(desks, Side.PARTNER, ticket_id)
