"""Read one comment for the hand-off: is a configured phrase alone on a line that its writer wrote?

Only text is judged here. Who wrote it, whether it is private, new, by a person and on a ticket that
can be handed over is decided elsewhere.
Anything short of a whole line is a near miss and never acts: a question, a sentence, a bullet, a
typo.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from html import escape

from syncd.core.lines import Region, lines


class Verdict(Enum):
    """What a comment's text asks for."""

    NOTHING = "nothing"
    #: One whole line is a configured phrase.
    HAND_OFF = "hand_off"
    #: Close to a phrase: worth a hint, never an act.
    NEAR_MISS = "near_miss"
    #: The phrase in a language that the link does not list: worth another hint.
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one comment says about the hand-off.

    `phrase` is the configured phrase that was met or missed, as configured; for UNLISTED the known
    translation; None for NOTHING.
    `is_alone` when the writer wrote that line and nothing else, quotes and signature not counted.
    Pictures and attachments are not seen here.
    """

    verdict: Verdict
    phrase: str | None = None
    is_alone: bool = False


# Quotes and emphasis that people put around a phrase copied from a manual; NFKC has already made
# the full-width brackets and parentheses plain.
_WRAPPING = "\"'*_「」『』“”„‟‘’‚‛«»‹›()[]"
# Never a question mark: a question is not an order.
_TRAILING = ".!。、,;:"
_FORMAT = "Cf"

# Text that the writer typed here; code is theirs too, but never an order.
_OWN = frozenset({Region.TEXT, Region.LIST, Region.CODE})

# How a person says it in other languages, {x} being the platform as the link's own phrases name it.
_TRANSLATIONS = (
    "Reassign to {x}",
    "Assign back to {x}",
    "Hand back to {x}",
    "Return to {x}",
    "{x} に再割り当て",
    "{x} に再割り当てする",
    "{x} へ再割り当て",
    "{x} に再アサイン",
    "{x} に戻す",
    "An {x} zurückgeben",
    "Zurück an {x}",
    "Neu zuweisen an {x}",
    "An {x} neu zuweisen",
    "Réassigner à {x}",
    "Réattribuer à {x}",
    "Renvoyer à {x}",
    "Reasignar a {x}",
    "Devolver a {x}",
    "Reatribuir para {x}",
    "Reatribuir ao {x}",
    "Riassegna a {x}",
    "Riassegnare a {x}",
    "Opnieuw toewijzen aan {x}",
    "Toewijzen aan {x}",
    "Przypisz ponownie do {x}",
    "Переназначить на {x}",
    "{x}에 재할당",
    "{x}(으)로 재할당",
    "重新分配给 {x}",
    "重新指派給 {x}",
)
_NAME = "{x}"
_NAME_PATTERNS = tuple(
    re.compile(
        re.escape(translation).replace(re.escape(_NAME), "(.{1,80}?)").replace(r"\ ", r"\ ?"),
        re.IGNORECASE,
    )
    for translation in _TRANSLATIONS
)

# Shorter phrases differ from ordinary words by a letter or two.
_TWO_TYPOS_FROM = 8
_ONE_TYPO_FROM = 5


def read(html: str, phrases: Sequence[str]) -> Reading:
    """Judge a comment's body, HTML or plain text, against the link's phrases.

    The first whole-line phrase wins; without one, the first line that is worth a hint.
    """
    known = _known(tuple(phrases))
    own = [(line.region, normalise(line.text)) for line in lines(html) if line.region in _OWN]
    own = [(region, text) for region, text in own if text]
    orders = [known.ordered(text) if region is Region.TEXT else None for region, text in own]
    for phrase in orders:
        if phrase is not None:
            return Reading(Verdict.HAND_OFF, phrase, is_alone=None not in orders)
    for region, text in own:
        if region is not Region.CODE and (hint := known.hinted(text)):
            return Reading(*hint, is_alone=len(own) == 1)
    return Reading(Verdict.NOTHING)


def normalise(text: str) -> str:
    """Return the form in which lines are compared: one width, one case, single blanks, no wrapping.

    Full stops at the end go, question marks stay. Normalising the result changes nothing.
    """
    folded = text.casefold() if text.isascii() else _folded(_folded(text))
    return " ".join(folded.split()).lstrip(_WRAPPING + " ").rstrip(_WRAPPING + _TRAILING + " ")


def problems(phrases: Sequence[str], notices: Iterable[str]) -> tuple[str, ...]:
    """Say in words what is wrong with a link's phrases; nothing when they can be used.

    `notices` are the notes that syncd writes for this link: none may hold a phrase as a whole line.
    """
    noticed = {_compact(normalise(line.text)) for notice in notices for line in lines(notice)}
    found: list[str] = []
    earlier: dict[str, str] = {}
    for phrase in phrases:
        key = _compact(normalise(phrase))
        if not key:
            found.append(f"hand-off phrase {phrase!r} is empty: write the words an agent types")
            continue
        name = f"hand-off phrase {phrase!r}"
        if read(escape(phrase), (phrase,)).verdict is not Verdict.HAND_OFF:
            found.append(
                f"{name} would never be recognised: alone on a line it looks like a quote, a list,"
                " code or several lines"
            )
        if key in earlier:
            found.append(f"{name} says the same as {earlier[key]!r}: keep one of them")
        if key in noticed:
            found.append(f"{name} is a whole line of a note that syncd writes: change one of them")
        earlier.setdefault(key, phrase)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Known:
    """A link's phrases and their known translations, by compact form."""

    listed: Mapping[str, str]
    unlisted: Mapping[str, str]
    #: Phrases too short to be looked for inside of words.
    words: Mapping[str, re.Pattern[str]]

    def ordered(self, text: str) -> str | None:
        return self.listed.get(_compact(text))

    def hinted(self, text: str) -> tuple[Verdict, str] | None:
        line = _compact(text)
        if translation := self.unlisted.get(line):
            return Verdict.UNLISTED, translation
        for key, phrase in self.listed.items():
            is_inside = bool(self.words[key].search(text)) if key in self.words else key in line
            if is_inside or _is_within(line, key, _typos(key)):
                return Verdict.NEAR_MISS, phrase
        return None


@lru_cache(maxsize=256)
def _known(phrases: tuple[str, ...]) -> _Known:
    listed: dict[str, str] = {}
    words: dict[str, re.Pattern[str]] = {}
    for phrase in phrases:
        text = normalise(phrase)
        if key := _compact(text):
            listed.setdefault(key, phrase)
            if len(key) < _ONE_TYPO_FROM:
                words[key] = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")
    unlisted: dict[str, str] = {}
    for name in dict.fromkeys(name for phrase in phrases for name in _names(phrase)):
        for translation in _TRANSLATIONS:
            spelled = translation.replace(_NAME, name)
            key = _compact(normalise(spelled))
            if key not in listed:
                unlisted.setdefault(key, spelled)
    return _Known(listed, unlisted, words)


def _names(phrase: str) -> Iterator[str]:
    """Return what the phrase calls the platform, if it is one of the known ways to say it."""
    text = " ".join(unicodedata.normalize("NFKC", phrase).split())
    for pattern in _NAME_PATTERNS:
        if match := pattern.fullmatch(text):
            yield match.group(1)


def _folded(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text)
    shown = "".join(sign for sign in wide if unicodedata.category(sign) != _FORMAT)
    return unicodedata.normalize("NFKC", shown.casefold())


def _compact(normalised: str) -> str:
    """Without blanks: Japanese is written with and without them."""
    return normalised.replace(" ", "")


def _typos(key: str) -> int:
    if len(key) >= _TWO_TYPOS_FROM:
        return 2
    return 1 if len(key) >= _ONE_TYPO_FROM else 0


def _is_within(left: str, right: str, edits: int) -> bool:
    """Whether `edits` letters put in, left out or exchanged make one text of the other."""
    if abs(len(left) - len(right)) > edits:
        return False
    pairs = enumerate(zip(left, right, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
    left, right = left[same:], right[same:]
    if not left or not right:
        return True
    return edits > 0 and (
        _is_within(left[1:], right[1:], edits - 1)
        or _is_within(left[1:], right, edits - 1)
        or _is_within(left, right[1:], edits - 1)
    )
