"""Whatever people write arrives on the other desk, harmless and whole, or somebody is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.platform.sandbox.model import Comment, Intent
from syncd.core.work import PairState
from tests.engine.both_desks import (
    CUSTOMER,
    STAFF,
    BothDesks,
    both_desks,
    both_know,
    text_of,
)

HOSTILE = (
    '<p onclick="stiehl()">Harmlos<script>stiehl("alles")</script></p>'
    '<img src="x" onerror="stiehl()"><a href="javascript:stiehl()">klick</a>'
    '<iframe src="https://evil.example"></iframe><style>p{display:none}</style>'
    "<b><i>nie geschlossen <table><td>Zelle {{ticket.requester.email}} {{dc.geheim}}"
)
CHARACTERS = {
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f zehn Zeichen",  # noqa: E501 - escapes
    "right to left": "\u0634\u0643\u0631\u0627 \u062c\u0632\u064a\u0644\u0627 \u2067\u05e9\u05dc\u05d5\u05dd\u2069 \u05e2\u05d5\u05dc\u05dd",  # noqa: E501 - escapes
    "japanese": "\u30c7\u30fc\u30bf\u30d9\u30fc\u30b9\u304c\u9045\u3044\u3067\u3059\u3002\u52a9\u3051\u3066\u304f\u3060\u3055\u3044\u3002",  # noqa: E501 - escapes
    "combined": "Z\u0351\u036b\u0343a\u0329l\u0353g\u0332o\u0349 \u0e01\u0e33\u0e25\u0e31\u0e07 n\u0303 zehn Zeichen",  # noqa: E501 - escapes
    "ampersands": "a < b && c > d &amp; &lt;keine Marke&gt;",
}


async def a_pair(desks: BothDesks, words: str = "woran es liegt") -> str:
    ticket_id = desks.open_ticket(f"<p>{words}</p>")
    await desks.settle()
    return ticket_id


def letters(html: str) -> str:
    """The text without markup and blanks."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("text", CHARACTERS.values(), ids=CHARACTERS.keys())
async def test_every_script_arrives_as_written_on_both_desks(tmp_path: Path, text: str) -> None:
    async with both_desks(tmp_path) as desks:
        escaped = text if "&" in text and ";" in text else text.replace("&", "&amp;")
        escaped = escaped.replace("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d")
        ticket_id = await a_pair(desks, f"hin {escaped}")
        await desks.answer(ticket_id, f"<p>her {escaped}</p>")
        await desks.settle()
        there = desks.heard(ticket_id, "hin ")
        (back,) = desks.read(ticket_id, "her ")
        assert [letters(escaped) in letters(c.html_body) for c in there] == [True]
        assert letters(escaped) in letters(text_of(back))


async def test_a_null_byte_and_half_a_character_cost_nothing_but_themselves(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        register = desks.platform.platform.register
        customer = register.person(CUSTOMER)
        assert customer is not None
        body = "<p>vorher\x00nachher und weiter\x07\x1b[31m</p>"
        comment = Comment(author=customer, visibility="public", views=frozenset(), body_html=body)
        register.commit(desks.ticket(ticket_id), Intent(actor=customer, via="web", comment=comment))
        await desks.answer(ticket_id, "<p>nichts\x00\ud83dverloren</p>")
        await desks.settle()
        (there,) = desks.heard(ticket_id, "vorher")
        assert "nachher" in there.body
        assert "und weiter" in there.body
        assert not set(there.body) & {"\x00", "\x07", "\x1b"}
        both_know(desks, ticket_id, "verloren")


async def test_hostile_html_becomes_harmless_on_the_way_in_both_directions(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.said.clear()
        desks.write(ticket_id, HOSTILE.replace("Harmlos", "Hinweg"))
        await desks.answer(ticket_id, HOSTILE.replace("Harmlos", "Herweg"))
        await desks.settle()
        (there,) = desks.heard(ticket_id, "Hinweg")
        (back,) = desks.read(ticket_id, "Herweg")
        for html in (there.html_body, text_of(back)):
            for word in ("stiehl", "script", "onerror", "onclick", "iframe", "display"):
                assert word not in html
            for words in ("klick", "nie geschlossen", "Zelle"):
                assert words in html
        # A placeholder that Zendesk would expand is only text there.
        assert "ticket.requester.email" in there.html_body
        assert "dc.geheim" in there.html_body


async def test_placeholders_in_a_subject_are_not_expanded_for_the_customer(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket(subject="Frage \u202e {{ticket.requester.email}} <b>fett</b>")
        await desks.settle()
        subject = desks.twin(ticket_id).values["subject"]
        assert "ticket.requester.email" in subject
        assert "{{" not in subject


@pytest.mark.parametrize("size", [64 * 1024, 300 * 1024])
async def test_a_comment_too_long_for_zendesk_arrives_in_parts_and_whole(
    tmp_path: Path, size: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        words = " ".join(f"wort{number:06}" for number in range(size // 11))
        desks.write(ticket_id, f"<p>{words}</p>")
        desks.write(ticket_id, "<p>und danach</p>")
        await desks.settle()
        said = [c.body for c in desks.twin(ticket_id).comments if c.is_public]
        found = re.findall(r"wort\d{6}", "".join(said))
        assert found == words.split()
        assert "und danach" in said[-1]
        for comment in desks.twin(ticket_id).comments:
            assert len(comment.html_body.encode()) < 64 * 1024


async def test_a_ticket_that_opens_with_a_very_long_text_is_born_with_all_of_it(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        words = " ".join(f"wort{number:06}" for number in range(30_000))
        ticket_id = desks.open_ticket(f"<p>{words}</p>")
        await desks.settle()
        said = "".join(c.body for c in desks.twin(ticket_id).comments)
        assert re.findall(r"wort\d{6}", said) == words.split()


async def test_zendesks_longest_comment_arrives_whole_at_the_platform(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        words = " ".join(f"\u00e4{number:06}" for number in range(7_000))
        await desks.answer(ticket_id, f"<p>{words}</p>")
        await desks.settle()
        (there,) = desks.read(ticket_id, "\u00e4000000")
        assert re.findall("\u00e4\\d{6}", text_of(there)) == words.split()


@pytest.mark.parametrize("body", ["<p>&nbsp;</p>", "<p></p><br>", '<img src="data:image/png,x">'])
async def test_a_blank_comment_of_an_agent_holds_nobody_up(tmp_path: Path, body: str) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, body, status="pending")
        await desks.answer(ticket_id, "<p>jetzt mit Text</p>")
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        both_know(desks, ticket_id, "jetzt mit Text")
        assert desks.ticket(ticket_id).status == "With customer"


async def test_an_image_alone_arrives_as_a_link_to_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, '<img src="https://acme.test/attachments/shot.png">')
        await desks.settle()
        (there,) = desks.read(ticket_id, "shot.png")
        assert 'href="https://acme.test/attachments/shot.png"' in text_of(there)


async def test_files_alone_leave_their_placeholder(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        file = {"name": "dump.sql", "size": 4711}
        comment = {"body_html": "", "visibility": "public", "attachments": [file]}
        desks.act(CUSTOMER, "update", ticket_id=ticket_id, comment=comment)
        await desks.settle()
        (there,) = desks.heard(ticket_id, "dump.sql")
        assert there.is_public


async def test_a_ticket_with_5000_comments_is_born_with_a_digest_and_lives_on(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>ganz am Anfang</p>", view=None)
        for number in range(1, 4_999):
            who = (CUSTOMER, STAFF)[number % 2]
            desks.write(ticket_id, f"<p>Beitrag {number:05}</p>", who=who)
        desks.said[:] = desks.said[:20]
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view="acme-postgres")
        await desks.settle()
        twin = desks.twin(ticket_id)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert "ganz am Anfang" in twin.comments[0].body
        newest = [f"Beitrag {number:05}" for number in range(4_999 - 25, 4_999)]
        shown = [c.body for c in twin.comments if c.is_public][-25:]
        assert [words in body for words, body in zip(newest, shown, strict=True)] == [True] * 25
        digests = [c for c in twin.comments if not c.is_public and "Beitrag" in c.body]
        assert len(digests) == 1
        assert "4973" in digests[0].body

        desks.write(ticket_id, "<p>Nummer f\u00fcnftausend</p>")
        await desks.answer(ticket_id, "<p>endlich eine Antwort</p>")
        await desks.settle()

        both_know(desks, ticket_id, "f\u00fcnftausend", "endlich eine Antwort")


async def test_a_full_zendesk_ticket_parks_its_pair_and_says_why(tmp_path: Path) -> None:
    async with both_desks(tmp_path, max_comments=6) as desks:
        full, other = await a_pair(desks), await a_pair(desks)
        for number in range(6):
            desks.write(full, f"<p>Beitrag {number:05}</p>")
        desks.write(other, "<p>Beitrag ohne Sorgen</p>")
        await desks.settle()
        reason, hint = await desks.parked(full)
        assert reason == "comment_limit"
        assert "acme" in hint
        both_know(desks, other, "Beitrag ohne Sorgen")
        assert len(desks.twin(full).comments) == 6
