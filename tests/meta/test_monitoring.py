"""Alert rules and the page about metrics: Prometheus takes them, and they name what there is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncd.web.metric_family import FAMILIES
from syncd.web.metrics_reference import render
from tests.meta.project import ROOT
from tests.support.promtool import NEEDS_PROMTOOL, promtool

FOLDER = ROOT / "config" / "monitoring"
RULES, TESTS = FOLDER / "alerts.yml", FOLDER / "alerts_test.yml"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


ALERTS = [str(rule["alert"]) for rule in rules()]


@NEEDS_PROMTOOL
def test_prometheus_takes_the_rules() -> None:
    code, said = promtool("check", "rules", RULES)
    assert code == 0, said


@NEEDS_PROMTOOL
def test_each_rule_fires_on_its_trouble_and_on_no_other() -> None:
    code, said = promtool("test", "rules", TESTS)
    assert code == 0, said


@NEEDS_PROMTOOL
@pytest.mark.parametrize("alert", ALERTS)
def test_without_a_rule_its_test_fails(alert: str, tmp_path: Path) -> None:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    (group,) = document["groups"]
    group["rules"] = [rule for rule in group["rules"] if rule["alert"] != alert]
    (tmp_path / RULES.name).write_text(yaml.safe_dump(document), encoding="utf-8")
    shutil.copy(TESTS, tmp_path)
    code, _ = promtool("test", "rules", tmp_path / TESTS.name)
    assert code != 0


def test_the_rules_ask_for_metrics_that_there_are() -> None:
    known = {f"{name}{end}" for name in FAMILIES for end in ("", "_bucket", "_sum", "_count")}
    asked = {name for rule in rules() for name in re.findall(r"\bsyncd_[a-z_]+", str(rule["expr"]))}
    assert asked
    assert asked - known == set()


def test_each_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    wanting = [
        rule["alert"]
        for rule in rules()
        if rule["labels"]["severity"] not in {"page", "ticket"}
        or not {"summary", "action"} <= rule["annotations"].keys()
    ]
    assert wanting == []


def test_the_docs_name_every_alert() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [alert for alert in ALERTS if f"`{alert}`" not in page] == []


def test_the_page_about_metrics_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert written == render(), "python -m syncd.web.metrics_reference > docs/metrics.md"
