"""Files at Zendesk in miniature: scanned after a while, refused by type, kept elsewhere."""

from __future__ import annotations

import pytest

from connectors.zendesk.sandbox.files import EICAR
from tests.support.zendesk_account import an_account


@pytest.mark.parametrize(
    ("content", "fails", "result"),
    [
        (b"harmless", False, "malware_not_found"),
        (EICAR, False, "malware_found"),
        (EICAR, True, "failed_to_scan"),
    ],
)
async def test_an_upload_is_scanned_after_a_while(
    content: bytes, *, fails: bool, result: str
) -> None:
    async with an_account(scan_seconds=30.0, scan_fails=fails) as account:
        up = await account.call("POST", "/uploads", params={"filename": "a"}, content=content)
        shown = up.json()["upload"]["attachment"]
        assert shown["malware_scan_result"] == "not_scanned"
        path = f"/attachments/{shown['id']}"
        account.clock.advance(29)
        assert (await account.get(path))["attachment"]["malware_scan_result"] == "not_scanned"
        account.clock.advance(1)
        assert (await account.get(path))["attachment"]["malware_scan_result"] == result


async def test_a_token_is_spent_after_an_hour() -> None:
    async with an_account() as account:
        ticket = (await account.create())["ticket"]
        up = await account.call("POST", "/uploads", params={"filename": "a"}, content=b"x")
        account.clock.advance(3600)
        files = {"body": "see", "uploads": [up.json()["upload"]["token"]]}
        refused = await account.update(ticket["id"], comment=files)
        assert refused.status_code == 422
        assert "invalid" in refused.text


async def test_a_refused_type_is_not_kept() -> None:
    async with an_account(refused_file_types=".exe, .bat") as account:
        for name, status in (("a.EXE", 422), ("b.bat", 422), ("exe.txt", 201)):
            up = await account.call("POST", "/uploads", params={"filename": name}, content=b"x")
            assert up.status_code == status


async def test_contents_may_be_at_another_host() -> None:
    async with an_account(file_host="https://p1.zdusercontent.test") as account:
        up = await account.call("POST", "/uploads", params={"filename": "a b?.txt"}, content=b"x")
        url = up.json()["upload"]["attachment"]["content_url"]
        assert url.endswith("name=a%20b%3F.txt")
        answer = await account.client.get(url)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("https://p1.zdusercontent.test/")
