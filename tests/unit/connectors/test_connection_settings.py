"""What a Zendesk and a platform connection need, and what they refuse."""

from __future__ import annotations

import pytest

from connectors.zendesk.settings import Settings
from syncd.core.model import ConnectionName
from tests.support.config_files import ENV, SMALLEST, loaded, said

OLD = 'subdomain: acme, oauth: {client_id: x, client_secret: "${ACME_SECRET}"}'
OAUTH = "oauth: {client_id: x, client_secret: '${ACME_SECRET}'}"
TOKEN = "api_token: {email: agent@acme.example, token: '${ACME_SECRET}'}"


def with_zendesk(settings: str) -> str:
    return SMALLEST.replace(OLD, settings)


def zendesk(settings: str) -> Settings:
    found = loaded(with_zendesk(settings)).config.connections[ConnectionName("acme")]
    assert isinstance(found, Settings)
    return found


def test_a_subdomain_or_an_address_leads_to_the_same_desk() -> None:
    assert zendesk(f"subdomain: acme, {OAUTH}").base_url == "https://acme.zendesk.com"
    assert zendesk(f"url: 'http://127.0.0.1:9000/', {OAUTH}").base_url == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        (OAUTH, "either `subdomain` or `url`"),
        (f"subdomain: a, url: 'https://a.example', {OAUTH}", "either `subdomain` or `url`"),
        ("subdomain: a", "either `oauth` or `api_token`"),
        (f"subdomain: a, {OAUTH}, {TOKEN}", "either `oauth` or `api_token`"),
        ("label: A", "; and either `oauth`"),
    ],
)
def test_one_address_and_one_credential_are_needed(settings: str, part: str) -> None:
    assert part in said(with_zendesk(settings))["connections.acme"]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (f"subdomain: acme.zendesk.com, {OAUTH}", "subdomain"),
        (f"url: 'http://acme.example', {OAUTH}", "url"),
        (f"subdomain: acme, feed: audits, {OAUTH}", "feed"),
        (f"subdomain: acme, exports_per_minute: 0, {OAUTH}", "exports_per_minute"),
        (f"subdomain: acme, budget: {{share: 0%}}, {OAUTH}", "budget.share"),
        (f"subdomain: acme, budget: {{share: 0.6}}, {OAUTH}", "budget.share"),
        (f"subdomain: acme, timeout: 30, {OAUTH}", "timeout"),
        ("subdomain: acme, api_token: {email: a:b@c, token: '${ACME_SECRET}'}", "api_token.email"),
    ],
)
def test_a_faulty_zendesk_setting_is_the_only_problem(settings: str, path: str) -> None:
    assert set(said(with_zendesk(settings))) == {f"connections.acme.{path}"}


def test_an_api_token_gives_a_warning_with_its_last_day() -> None:
    (warning,) = loaded(with_zendesk(f"subdomain: acme, {TOKEN}"), ENV).warnings
    assert warning.path == "connections.acme.api_token"
    assert "30 April 2027" in warning.message


def test_real_addresses_give_a_warning() -> None:
    settings = f"subdomain: acme, requester_address: full, {OAUTH}"
    (warning,) = loaded(with_zendesk(settings), ENV).warnings
    assert warning.path == "connections.acme.requester_address"
    assert "past the platform" in warning.message


def test_every_status_of_zendesk_has_a_meaning() -> None:
    names = {value.name for value in zendesk(f"subdomain: acme, {OAUTH}").status_values()}
    assert names == {"new", "open", "pending", "hold", "solved", "closed"}
