"""What `syncd doctor` finds on this machine: each fact gathered, then judged."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli import opening
from syncd.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.doctor.diagnosis import Diagnosis


def look_here(
    path: Path, config: Config | None, problems: Sequence[Problem], *, within_seconds: float
) -> list[Diagnosis]:
    """Everything but the desks; `config` is None where the file cannot be used."""
    from config.secret_survey import shared, survey
    from syncd.checkup.machine import files, programs
    from syncd.doctor.configuration import judge_config
    from syncd.doctor.daemon import judge_programs
    from syncd.doctor.files import judge_files
    from syncd.doctor.secrets import judge_secrets

    secrets = survey(path, os.environ)
    said = {one.key for one in secrets if one.flaw is not None}
    found = [*judge_config(problems, said=said, file=str(path))]
    found += judge_secrets(secrets, () if config is None else shared(config))
    place = _place(path)
    store = None if place is None else _file(place.store)
    found += judge_files(files(path, store, secrets, has_secrets=_has_secrets(problems)))
    found.append(judge_programs(programs()))
    if place is None or store is None:
        return found
    word = _word(place.listen)
    found += _of_store(store, within_seconds)
    found += _of_daemon(place.listen, store, word)
    return found


def is_answering(listen: str) -> bool:
    """Whether a daemon answers there."""
    return _word(listen) is not None


def _of_store(store: Path, within_seconds: float) -> list[Diagnosis]:
    from syncd.checkup.daemon import holders
    from syncd.checkup.machine import backups, disk
    from syncd.doctor.backups import judge_backups
    from syncd.doctor.store import judge_disk, judge_store
    from syncd.store.soundness import examine

    # Where locks are not listed, somebody may be writing.
    is_held = bool(holders(store)) or holders(store) is None
    facts = examine(store, is_held=is_held, patience_seconds=within_seconds)
    found = [*judge_store(facts)]
    seen = disk(store)
    if seen is not None:
        found += judge_disk(seen, store_bytes=facts.size_bytes + facts.log_bytes)
    copies = backups(store, facts.store_id, now=opening.now()) if facts.store_id else None
    if copies is not None:
        found += judge_backups(copies)
    return found


def _of_daemon(listen: str, store: Path, word: Mapping[str, object] | None) -> list[Diagnosis]:
    from syncd.checkup.daemon import budgets, daemon, holders, unit
    from syncd.doctor.budget import judge_budgets
    from syncd.doctor.daemon import judge_daemon, judge_unit

    found = [*judge_daemon(daemon(listen, holders(store), word))]
    found += judge_unit(unit())
    found += judge_budgets(budgets(word))
    return found


def _word(listen: str) -> Mapping[str, object] | None:
    from syncd.cli.daemon_word import daemon_word

    return daemon_word(listen)


def _place(path: Path) -> opening.Outline | None:
    try:
        return opening.outline(path)
    except ConfigError:
        return None


def _file(address: str) -> Path:
    from syncd.store.file import path_of

    return path_of(address)


def _has_secrets(problems: Sequence[Problem]) -> bool:
    # The reader warns of each.
    return any("stands in the file" in problem.message for problem in problems)
