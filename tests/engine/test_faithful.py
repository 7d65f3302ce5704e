"""What a comment says is the same on the other desk, whatever program wrote it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.richtext import for_desk, sanitise
from tests.engine.both_desks import AGENT, BothDesks, both_desks, text_of
from tests.support.html_shapes import HOSTILE, SHAPES
from tests.support.shown import Block, blocks, letters

#: What takes several comments has tests of its own.
SHAPES_HERE = {name: html for name, html in SHAPES.items() if len(html) < 20_000}


def numbered(number: int) -> str:
    return f"Form-{number:03}."


def meaning(html: str) -> list[Block]:
    """The blocks of a comment; a desk that has no headlines and rules may write them as text."""
    plain = html.replace("~~", "").replace("<p>———</p>", "<hr>")
    return [
        Block(re.sub("/?heading", "", b.kind) or "text", b.text, b.label, b.links, b.code)
        for b in blocks(re.sub("</?(s|del)>", "", plain).replace("\u200b", ""))
    ]


#: Of these the original itself is the measure; others need our reading of marks and attributes.
PLAIN = (
    "editor, editor blank, code block, code block alone, code tabs, inline code, quote,"
    " quote in quote, bullets, numbers, nested lists, headings, bold and all, table, link,"
    " link bare, mailto, markdown, markdown code, right to left, japanese, entities, family"
).split(", ")


async def test_every_shape_means_the_same_at_the_platform(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for number, html in enumerate(SHAPES_HERE.values()):
            await desks.answer(ticket_id, f"<p>{numbered(number)}</p>{html}")
        await desks.settle()
        differing = {}
        for number, (name, html) in enumerate(SHAPES_HERE.items()):
            (there,) = desks.read(ticket_id, numbered(number))
            # What Zendesk itself made of it is what was to be carried.
            (kept,) = [c for c in desks.twin(ticket_id).comments if numbered(number) in c.body]
            got = meaning(text_of(there))
            if got != meaning(for_desk(sanitise(kept.html_body))):
                differing[name] = (html, text_of(there))
            assert name not in PLAIN or got[1:] == meaning(html)
        assert differing == {}


async def test_every_shape_means_the_same_at_zendesk(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for number, html in enumerate(SHAPES_HERE.values()):
            said = html.replace("\x00", "")
            desks.write(ticket_id, f"<p>{numbered(number)}</p>{said}")
        desks.said.clear()
        await desks.settle()
        differing = {}
        for number, (name, html) in enumerate(SHAPES_HERE.items()):
            (there,) = desks.heard(ticket_id, numbered(number))
            (origin,) = desks.read(ticket_id, numbered(number))
            got = meaning(there.html_body)[1:]
            if got != meaning(for_desk(sanitise(text_of(origin)))):
                differing[name] = (html, there.html_body)
            assert name not in PLAIN or got[1:] == meaning(html)
        assert differing == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_is_left_for_any_desk(name: str) -> None:
    assert "evil" not in re.sub(r">[^<]*<", "><", f">{for_desk(sanitise(HOSTILE[name]))}<")


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


async def test_a_secret_address_stays_on_its_desk_and_the_file_is_named(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        token = "https://acme.test/attachments/token/Geheimnis7/?name=plan.png"
        await desks.answer(
            ticket_id,
            f'<p>Anbei <img src="{token}"> und <a href="{token}">der Plan</a>, siehe {token}</p>',
        )
        await desks.settle()
        (there,) = desks.read(ticket_id, "Anbei")
        assert "Geheimnis7" not in text_of(there)
        assert "<img" not in text_of(there)
        assert "[plan.png]" in text_of(there)
        assert "der Plan [link left out" in text_of(there)


async def test_placeholders_in_code_look_the_same_and_are_not_expanded(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>{{ticket.id}} {% x %} <code>{{ y }}</code></p>")
        await desks.settle()
        first = desks.twin(ticket_id).comments[0]
        assert "{{" not in first.html_body
        assert first.body.replace("\u200b", "").endswith("{{ticket.id}} {% x %} {{ y }}")


PHRASE = "<p>Reassign to Heroku</p>"
QUOTED = {
    "gmail quote": f'<div dir="ltr">See below.</div><div class="gmail_quote">{PHRASE}</div>',
    "gmail extra": f'<div>No.</div><div class="gmail_extra"><div>{PHRASE}</div></div>',
    "outlook reply": '<div>No, we keep it.</div><div id="divRplyFwdMsg"><b>From:</b> Ana</div>'
    f"<div><div>{PHRASE}</div></div><p>x</p>{PHRASE}",
    "outlook in a table": "<table><tr><td><div>No.</div><div id='x_divRplyFwdMsg'>From: A</div>"
    f"</td></tr><tr><td>{PHRASE}</td></tr></table>{PHRASE}",
    "outlook header block": "<p>No.</p><p><b>From:</b> Ana<br><b>Sent:</b> Monday<br><b>To:</b> M"
    f"</p>{PHRASE}",
    "thunderbird": f'<p>No.</p><div class="moz-cite-prefix">Ana:</div><blockquote>{PHRASE}'
    "</blockquote>",
    "gmail signature": f'<div>Done.</div><div class="gmail_signature">{PHRASE}</div>',
    "outlook signature": f'<p>Done.</p><div id="Signature">{PHRASE}</div>',
    "apple signature": f'<p>Done.</p><div id="AppleMailSignature">{PHRASE}</div>',
    "thunderbird signature": f'<p>Done.</p><pre class="moz-signature">{PHRASE}</pre>',
    "signature table": f"<table class='x-signature'><tr><td>{PHRASE}</td></tr></table><p>a</p>",
    "signature row": f"<table><tr class='signature'><td>{PHRASE}</td></tr></table><p>a</p>",
    "struck out": "<p>No.</p><p><s>Reassign to Heroku</s></p>",
    "code": "<p>No.</p><pre>Reassign to Heroku</pre>",
    "hidden": f'<p>No.</p><div style="display:none">{PHRASE}</div>',
    "too deep": "<p>No.</p>" + "<div><b>" * 150 + PHRASE,
}


async def hand_off_by_mail(desks: BothDesks, html: str) -> str:
    """A ticket with a private comment that is stored as mails are, classes and all."""
    ticket_id = await a_pair(desks)
    await desks.answer(ticket_id, "<p>kommt per Mail</p>", who=AGENT, public=False)
    comment = desks.twin(ticket_id).comments[-1]
    comment.html_body = f'<div class="zd-comment zd-comment-pre-styled" dir="auto">{html}</div>'
    await desks.settle()
    return ticket_id


@pytest.mark.parametrize("name", QUOTED)
async def test_a_phrase_that_somebody_else_wrote_hands_nothing_over(
    tmp_path: Path, name: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await hand_off_by_mail(desks, QUOTED[name])
        assert desks.ticket(ticket_id).views == ["acme-postgres"]
        assert len([c for c in desks.twin(ticket_id).comments if "is now with" in c.body]) == 0
        assert all("class=" not in text_of(each) for each in desks.read(ticket_id, "Reassign"))


@pytest.mark.parametrize(
    "html",
    [
        PHRASE,
        f'<div dir="ltr">{PHRASE}<div class="gmail_signature">Mia</div></div>',
        f'{PHRASE}<div class="gmail_quote">older</div>',
        '<p class="MsoNormal"><span>Reassign to Heroku<o:p></o:p></span></p>',
    ],
)
async def test_a_phrase_that_the_agent_wrote_above_them_hands_over(
    tmp_path: Path, html: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await hand_off_by_mail(desks, html)
        assert desks.ticket(ticket_id).views == []


async def test_a_comment_in_parts_keeps_its_table_and_its_list(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        rows = "".join(f"<tr><td>Zeile {n}</td><td>{'wert ' * 8}</td></tr>" for n in range(900))
        items = "".join(f"<li>Punkt {n} {{{{x}}}}</li>" for n in range(1, 900))
        desks.write(ticket_id, f"<table><tbody>{rows}</tbody></table><ol>{items}</ol>")
        await desks.settle()
        parts = [c.html_body for c in desks.twin(ticket_id).comments if "Part " in c.body]
        assert len(parts) > 1
        (origin,) = desks.read(ticket_id, "Zeile 1<")
        bodies = [re.sub(r"^.*?Part \d of \d</em></p>", "", part) for part in parts]
        assert "".join(map(letters, bodies)).endswith(letters(text_of(origin)))
        got = [block for body in bodies for block in meaning(body)]
        assert got[-1_000:] == meaning(text_of(origin))[-1_000:]
