"""Which addresses travel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import (
    carries_secret,
    file_name,
    to_target,
    without_secret,
    without_tokens,
)


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.zendesk.com/attachments/token/uP5Yq1sKx0/?name=graph.png",
        "https://p15.zdusercontent.com/attachment/10/Ab1?token=eyJhbGciOiJkaXIi",
        "https://x.test/?token=a",
        "https://x.test/?a=1&access_token=b",
        "https://x.test/?a=1;sig=b",
        "https://x.blob.test/f?sv=2026&SIG=b",
        "https://x.test/f?Expires=1&Signature=b&Key-Pair-Id=c",
        "https://bucket.test/f?X-Amz-Signature=b",
        "https://bucket.test/f?X-Amz-Security-Token=b",
        "https://bucket.test/f?X-Goog-Signature=b",
        "https://x.test/?key=b",
        "https://x.test/?api-key=b",
        "https://x.test/?client_secret=b",
        "https://x.test/?password=b",
        "https://x.test/?jwt=b",
        "https://x.test/#access_token=b",
        "https://x.test/?csrf_token=b",
        "https://x.test/?token[]=b",
        "https://x.test/?%74oken=b",
        "https://t.test/click?to=https%3A%2F%2Fx.test%2F%3Ftoken%3Db",
        "https://t.test/click?to=https%253A%252F%252Fx.test%252F%253Ftoken%253Db",
        "https://mia:pass@x.test/",
        "https://mia@x.test/",
        "https://x.test/api/token/abc",
        "https://x.test/login/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "https://x.test/users/password/reset/abc",
        "http://[broken/",
    ],
)
def test_an_address_that_gives_access_does_not_travel(address: str) -> None:
    assert carries_secret(address)
    assert to_target(address) is None
    for secret in ("uP5Yq1sKx0", "eyJ", "=b", "pass", "mia", "abc"):
        assert secret not in without_secret(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://x.test/",
        "http://x.test:8080/a/b?c=1&d=2#e",
        "https://x.test/?utm_source=a&page=2",
        "https://x.test/keys/token",
        "https://x.test/?tokenise=1&monkey=2&design=3&keyboard=4",
        "https://x.test/docs/tokens",
        "https://x.test/?token=",
        "https://x.test/a@b",
        "https://日本.test/パス",
    ],
)
def test_an_ordinary_address_travels_as_it_is(address: str) -> None:
    assert to_target(address) == address


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("mailto:a@x.test", "mailto:a@x.test"),
        ("mailto:", None),
        (" HTTPS://x.test/ ", "HTTPS://x.test/"),
        ("https://x.test/{{ticket.id}}", "https://x.test/%7B%7Bticket.id%7D%7D"),
        ('https://x.test/"<>', "https://x.test/%22%3C%3E"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("tel:+49", None),
        ("//x.test/", None),
        ("/x", None),
        ("x", None),
        ("https://", None),
        ("", None),
    ],
)
def test_only_web_and_mail_addresses_are_targets(address: str, target: str | None) -> None:
    assert to_target(address) == target


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x.test/a/my%20shot.png", "my shot.png"),
        ("https://acme.test/attachments/token/uP5Yq/?name=graph.png", "graph.png"),
        ("https://acme.test/attachments/token/uP5Yq", ""),
        ("https://x.test/", ""),
        ("cid:ii_1", ""),
        ("http://[broken/", ""),
    ],
)
def test_a_picture_is_named_by_its_address(address: str, name: str) -> None:
    assert file_name(address) == name


def test_a_text_keeps_all_but_the_token_of_an_attachment() -> None:
    text = "see https://acme.test/attachments/token/uP5Yq/?name=a.png and /token/ too"
    assert without_tokens(text) == "see https://acme.test/attachments/token/… and /token/ too"


@given(st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_any_text_is_judged(address: str) -> None:
    file_name(address)
    without_secret(address)
    target = to_target(address)
    assert target is None or to_target(target) == target
