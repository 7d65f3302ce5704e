"""What every `Connector` that carries files must do, whatever the desk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from syncd.attachments import Attachments
from syncd.core.agreed import FileState
from syncd.core.attachment import Attachment
from syncd.core.errors import OutcomeUnknown, UploadSpent
from syncd.core.model import Audience
from syncd.core.operations import Draft, DraftFile
from tests.contract.desk import Desk, a_creation, a_draft, an_intent, an_update, look

KEY = "0123456789abcdef0123456789abcdef"
#: Every byte, and more of them than one piece holds.
CONTENT = bytes(range(256)) * 1000
PICTURE = Attachment(
    attachment_id="elsewhere",
    name="Bild nächtlich 写真.png",
    size=len(CONTENT),
    content_type="image/png",
    url="",
)


def of(desk: Desk) -> Attachments:
    """The desk's files."""
    files = desk.connector.attachments
    assert files is not None
    return files


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


async def give(
    desk: Desk, content: bytes = CONTENT, *, file: Attachment = PICTURE, number: int = 0
) -> DraftFile:
    """A file given to the desk, for a comment to come."""
    upload = await of(desk).upload(
        file, pieces(content), size=len(content), key=f"{KEY[:-2]}{number:02}"
    )
    source = a_draft(desk, "").source_id
    assert source is not None
    return DraftFile(
        comment_id=source, ordinal=number, file=file, state=FileState.CARRIED, upload=upload
    )


def with_files(desk: Desk, html: str, *files: DraftFile, is_public: bool = True) -> Draft:
    audience = Audience.PUBLIC if is_public else Audience.SHARED
    return replace(a_draft(desk, html, audience), files=files)


class ConnectorFiles:
    """Files in and out, while nothing goes wrong and while something does."""

    async def test_a_persons_file_is_shown_and_comes_byte_by_byte(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.attach(ticket_id, "<p>See</p>", [("a b.bin", CONTENT), ("c.txt", b"x")])
        desk.clock.advance(60)
        seen = await look(desk, ticket_id)
        first, second = seen.comments[-1].attachments
        assert (first.name, first.size, second.name) == ("a b.bin", len(CONTENT), "c.txt")

        digest, longest = hashlib.sha256(), 0
        async with of(desk).open(first) as opened:
            assert opened.size == len(CONTENT)
            async for piece in opened.content:
                digest.update(piece)
                longest = max(longest, len(piece))

        assert digest.digest() == hashlib.sha256(CONTENT).digest()
        assert longest < len(CONTENT)

    async def test_a_file_that_is_looked_at_is_the_same(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        await desk.attach(ticket_id, "<p>See</p>", [("c.txt", b"x")])
        seen = await look(desk, ticket_id)
        (file,) = seen.comments[-1].attachments
        shown = await of(desk).look(file)
        assert shown is not None
        assert (shown.attachment_id, shown.name, shown.size) == (
            file.attachment_id,
            file.name,
            file.size,
        )

    async def test_a_file_that_is_not_there_is_none(self, desk: Desk) -> None:
        assert await of(desk).look(replace(PICTURE, attachment_id="99999999")) is None

    @pytest.mark.parametrize("is_public", [True, False])
    async def test_given_files_go_with_their_comment_in_order(
        self, desk: Desk, *, is_public: bool
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        one = await give(desk)
        two = await give(desk, b"two", file=replace(PICTURE, name="zwei.txt"), number=1)
        draft = with_files(desk, "<p>Both</p>", one, two, is_public=is_public)
        op = an_update(desk, ticket_id, comment=draft)

        answer = await desk.connector.write(an_intent(desk, op, seen))

        stored = desk.stored(ticket_id).comments[-1]
        assert stored.files == ((PICTURE.name, CONTENT), ("zwei.txt", b"two"))
        assert stored.is_public is is_public
        shown = next(c for c in answer.sighting.comments if c.comment_id == answer.comment_ids[0])
        assert [file.name for file in shown.attachments] == [PICTURE.name, "zwei.txt"]

    async def test_given_files_go_with_a_creation_and_with_imported_history(
        self, desk: Desk
    ) -> None:
        if not desk.connector.capabilities.can_create:
            pytest.skip("this desk's tickets are not created by us")
        for number, is_silent in enumerate((False, True)):
            draft = with_files(desk, "<p>First</p>", await give(desk, number=number))
            op = a_creation(desk, draft, is_silent=is_silent, op_id=f"{number:032x}")
            answer = await desk.connector.write(an_intent(desk, op))
            (comment,) = desk.stored(answer.ticket_id).comments
            assert comment.files == ((PICTURE.name, CONTENT),)

    async def test_a_file_that_no_comment_takes_changes_no_ticket(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        before = desk.stored(ticket_id)
        await give(desk)
        assert desk.stored(ticket_id) == before

    async def test_a_comment_repeated_by_its_writer_has_its_file_once(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        draft = with_files(desk, "<p>Once</p>", await give(desk))
        intent = an_intent(desk, an_update(desk, ticket_id, comment=draft), seen)
        desk.arm_write("drop_after")
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        finding = await desk.connector.find(intent)
        assert finding.answer is not None
        stored = desk.stored(ticket_id)
        assert [c.files for c in stored.comments if c.files] == [((PICTURE.name, CONTENT),)]

    async def test_an_upload_whose_answer_is_lost_can_be_made_again(self, desk: Desk) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        if desk.gives_files_ahead:
            desk.arm_write("drop_after")
            with pytest.raises(OutcomeUnknown):
                await give(desk)
        else:
            await give(desk)
        draft = with_files(desk, "<p>Again</p>", await give(desk))
        await desk.connector.write(an_intent(desk, an_update(desk, ticket_id, comment=draft), seen))
        assert desk.stored(ticket_id).comments[-1].files == ((PICTURE.name, CONTENT),)

    async def test_a_write_of_a_file_that_is_no_more_says_so_and_writes_nothing(
        self, desk: Desk
    ) -> None:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        before = desk.stored(ticket_id)
        spent = replace(await give(desk), upload="long-forgotten")
        op = an_update(desk, ticket_id, comment=with_files(desk, "<p>Gone</p>", spent))
        with pytest.raises(UploadSpent):
            await desk.connector.write(an_intent(desk, op, seen))
        assert desk.stored(ticket_id) == before
