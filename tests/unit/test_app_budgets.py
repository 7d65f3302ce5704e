"""One budget for each account, however many connections lead to it."""

from __future__ import annotations

from pathlib import Path

from config.load import load_text
from connectors import registry
from syncd.app import parts
from syncd.core.model import ConnectionName

FILE = """\
version: 1
store: sqlite:///{folder}/syncd.db
connections:
  heroku: {{kind: platform, url: "http://127.0.0.1:9/api", token: "${{T}}"}}
  other: {{kind: platform, url: "http://127.0.0.1:9/api", token: "${{T}}"}}
  acme: {{kind: zendesk, subdomain: acme, oauth: {{client_id: x, client_secret: "${{T}}"}}}}
  again:
    kind: zendesk
    url: https://ACME.zendesk.com
    oauth: {{client_id: y, client_secret: "${{T}}"}}
    budget: {{share: 30%}}
  globex: {{kind: zendesk, subdomain: globex, oauth: {{client_id: x, client_secret: "${{T}}"}}}}
links: {{a: {{platform: heroku/x, partner: acme}}}}
"""


async def test_connections_to_one_account_spend_from_one_budget_by_the_smaller_share(
    tmp_path: Path,
) -> None:
    text = FILE.format(folder=tmp_path).encode()
    config = load_text(text, {"T": "t-0451"}, registry, file="syncd.yaml", folder=tmp_path).config
    async with parts(config, owner=None) as made:
        budgets = {name: made.budgets[ConnectionName(name)] for name in made.connectors}
        assert budgets[ConnectionName("acme")] is budgets[ConnectionName("again")]
        assert budgets[ConnectionName("acme")] is not budgets[ConnectionName("globex")]
        # A platform counts by token, and each connection has one of its own.
        assert budgets[ConnectionName("heroku")] is not budgets[ConnectionName("other")]
        await made.budgets[ConnectionName("again")].spend(("account",))
        every = made.budgets[ConnectionName("acme")].snapshot()
        (shown,) = [each for each in every if each.bucket == "account"]
        assert (shown.used, shown.ours) == (1, 60)
