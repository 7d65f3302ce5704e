"""Kinds and the packages that speak them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import registry
from connectors.zendesk.settings import Settings as ZendeskSettings
from syncd.settings import ConnectionSettings
from tests.support.config_files import SMALLEST, loaded, said

THEIRS = """\
from typing import ClassVar
from syncd.core.model import Side, Status
from syncd.settings import ConnectionSettings, StatusValue

class Settings(ConnectionSettings):
    role: ClassVar[Side] = Side.PARTNER
    colour: str

    def status_values(self):
        return tuple(StatusValue(name=s.value, meaning=s) for s in Status)
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A connector's package outside of the project; its kind, which no other test has imported."""
    top = f"elsewhere_{tmp_path.name}"
    folder = tmp_path / top / "desk"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "settings.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"{top}.desk"


def test_every_registered_kind_has_settings_that_name_it() -> None:
    for kind in registry.names():
        model = registry.settings_of(kind)
        assert issubclass(model, ConnectionSettings)
        assert model.model_fields["kind"].annotation is not str
        assert model.__module__ == f"{registry.KINDS[kind]}.settings"


def test_a_kind_from_elsewhere_works_without_being_registered(elsewhere: str) -> None:
    text = SMALLEST.replace(
        'kind: zendesk, subdomain: acme, oauth: {client_id: x, client_secret: "${ACME_SECRET}"}',
        f"kind: {elsewhere}, colour: red",
    )
    (settings,) = [c for n, c in loaded(text).config.connections.items() if n == "acme"]
    assert settings.kind == elsewhere
    assert set(said(text.replace("colour", "color"))) == {"connections.acme.color"}


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("zendsk", "the kinds are platform, request_tracker, zendesk"),
        ("no.such.package", "cannot be imported"),
        ("..", "no connector of this kind"),
        ("a.b-c", "no connector of this kind"),
        ("", "no connector of this kind"),
        ("connectors", "no connector of this kind"),
        ("tests.support", "cannot be imported"),
    ],
)
def test_an_unknown_kind_is_told_with_the_reason(kind: str, part: str) -> None:
    with pytest.raises(registry.UnknownKind, match=part):
        registry.settings_of(kind)
    assert (
        part in said(SMALLEST.replace("kind: zendesk", f"kind: '{kind}'"))["connections.acme.kind"]
    )


def test_a_package_without_settings_of_ours_is_refused(elsewhere: str, tmp_path: Path) -> None:
    (tmp_path / elsewhere.replace(".", "/") / "settings.py").write_text("Settings = dict\n")
    with pytest.raises(registry.UnknownKind, match="made from"):
        registry.settings_of(elsewhere)


def test_a_kind_that_does_not_tell_its_statuses_is_refused_by_their_name(
    elsewhere: str, tmp_path: Path
) -> None:
    place = tmp_path / elsewhere.replace(".", "/") / "settings.py"
    place.write_text(THEIRS.partition("    def status_values")[0])
    with pytest.raises(registry.UnknownKind, match="lacks `status_values`"):
        registry.settings_of(elsewhere)


def test_a_module_of_a_kind_is_imported_by_its_name() -> None:
    assert registry.load("zendesk", "settings").Settings is ZendeskSettings


def test_a_kind_must_be_text() -> None:
    assert set(said(SMALLEST.replace("kind: zendesk", "kind: no"))) == {"connections.acme.kind"}
    assert set(said(SMALLEST.replace("kind: zendesk, ", ""))) == {"connections.acme"}
