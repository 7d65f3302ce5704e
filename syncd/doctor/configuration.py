"""What is wrong with the file, each problem that no other check has said better."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from syncd.core.errors import Problem
from syncd.doctor.diagnosis import Check, Diagnosis, ill, well


def judge_config(
    problems: Sequence[Problem], *, said: Collection[str] = (), file: str
) -> Iterator[Diagnosis]:
    """A line for each problem but those of the keys in `said`."""
    for problem in problems:
        if problem.path in said and not problem.is_warning:
            continue
        code = "config.doubtful" if problem.is_warning else "config.invalid"
        where = f"{problem.file or file}:{problem.line}" if problem.line else file
        hint = problem.hint or None
        yield ill(
            code, Check.CONFIG, f"{where}: {problem.message}", subject=problem.path, hint=hint
        )
    if not problems:
        yield well(Check.CONFIG, "sound", subject=file)
