"""Collect everything that is wrong with one document, each thing with its place and its path.

Keys are shown only when they look like keys: a forgotten blank turns `token: x` into a key that
is a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.document import Document, Path
from syncd.core.errors import Problem

#: For whoever has no file yet.
BEGIN_HINT = "`syncd config example > syncd.yaml` is a whole one to start from"

_WORD = re.compile(r"[^\W\d][\w-]{0,63}")
_SHOWABLE = re.compile(r"[\w .,/()#&+-]{1,64}")


@dataclass(kw_only=True)
class Report:
    """The problems of one document so far."""

    document: Document
    _found: dict[tuple[Path, str], Problem] = field(default_factory=dict)

    def add(
        self,
        path: Path,
        message: str,
        hint: str = "",
        *,
        is_warning: bool = False,
        of_key: bool = False,
    ) -> None:
        """Note one thing; the same thing at the same path is noted once."""
        line, column = self.document.place(path, of_key=of_key)
        problem = Problem(
            file=self.document.file,
            line=line,
            column=column,
            path=path_text(path),
            message=message,
            hint=hint,
            is_warning=is_warning,
        )
        self._found.setdefault((path, message), problem)

    def has_errors_at(self, path: Path) -> bool:
        """Whether something is wrong at or below `path`; what follows from it is no news."""
        return any(
            place[: len(path)] == path and not problem.is_warning
            for (place, _), problem in self._found.items()
        )

    def errors(self) -> tuple[Problem, ...]:
        """What keeps the file from being used, in file order, the reader's findings included."""
        return self._ordered(is_warning=False)

    def warnings(self) -> tuple[Problem, ...]:
        """What a person should know and may leave, in file order."""
        return self._ordered(is_warning=True)

    def _ordered(self, *, is_warning: bool) -> tuple[Problem, ...]:
        every = (*self.document.problems, *self._found.values())
        wanted = (problem for problem in every if problem.is_warning is is_warning)
        return tuple(sorted(wanted, key=lambda problem: (problem.line or 0, problem.column or 0)))


def path_text(path: Path) -> str:
    """`links.acme.status["With customer"][0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _WORD.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{shown(part)}"]'
    return text


def shown(key: str) -> str:
    """A key as it may be repeated to a person; what stands after a ':' or '=' may be a value."""
    name = re.split("[:=]", key, maxsplit=1)[0]
    if name != key:
        return f"{name}..." if _SHOWABLE.fullmatch(name) else "..."
    return key if _SHOWABLE.fullmatch(key) else "..."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    by_folded = {name.casefold(): name for name in known}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the nearest known word, else all of them."""
    names = [shown(name) for name in known]
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    return "known: " + ", ".join(names) if names else ""
