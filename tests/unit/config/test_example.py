"""The example file and the reference page say what the program does."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import yaml

from config.json_schema import json_schema
from config.load import load
from config.policy import link_policy
from config.reference import inserted
from config.schema import Link
from connectors import registry
from syncd.core.model import LinkName

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "syncd.yaml.example"
PAGE = ROOT / "docs" / "configuration.md"


def environment(folder: Path) -> dict[str, str]:
    for name in ("platform-token", "globex-secret"):
        (folder / name).write_text(f"{name}-5512\n")
    for name in ("ops-mail", "on-call", "acme-chat"):
        (folder / name).write_text("mailtos://syncd:env-5512@mail.example.com\n")
    names = ("PLATFORM_WEBHOOK_SECRET", "ACME_CLIENT_SECRET")
    return {"CREDENTIALS_DIRECTORY": str(folder), **dict.fromkeys(names, "env-5512")}


def test_the_example_loads_without_a_warning(tmp_path: Path) -> None:
    result = load(EXAMPLE, environment(tmp_path), registry)
    assert result.warnings == ()
    assert len(result.config.links) == 2
    assert len({link.partner.connection for link in result.config.links.values()}) == 2
    smallest = link_policy(result.config, LinkName("globex-search"))
    assert smallest.hand_off_phrases == ("Reassign to Heroku", "Heroku に再割り当て")


def test_the_example_fits_the_schema_that_it_names() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=")
    jsonschema.Draft202012Validator(json_schema(registry)).validate(yaml.safe_load(text))


def test_the_example_has_every_key_of_a_link_but_own_wording() -> None:
    links = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["links"]
    assert set(Link.model_fields) - set(links["acme-postgres"]) == {"notes"}


def test_the_reference_page_is_what_the_schema_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert inserted(page, registry) == page, "write it anew: see docs/configuration.md, Reference"


def test_the_smallest_file_of_the_page_loads(tmp_path: Path) -> None:
    block = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "syncd.yaml"
    path.write_text(block, encoding="utf-8")
    env = {"PLATFORM_TOKEN": "a", "ACME_SECRET": "b"}
    assert load(path, env, registry).warnings == ()
