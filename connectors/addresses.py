"""Which addresses may travel from desk to desk, and what is shown of one that may not.

An address that gives access to whoever holds it (a desk's own attachment links, signed downloads,
log-in links) never does. Doubt goes against the link: its text stays.
Pure; takes any text and never raises.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

# A parameter in the query or the fragment, of an address inside of the address too.
_PARAMETER = re.compile(r"[?&;#]\s*([^=&;#?/\s]{1,80}?)(?:\[\])?\s*=\s*[^\s&;#]")
# Names without `-`, `_` and `.`, in lower case.
_SECRET_NAMES = frozenset(
    """accesskey accesskeyid apikey auth authkey authorization authtoken awsaccesskeyid credential
    googleaccessid hmac jwt key keypairid otp passwd password pwd secret securitytoken session
    sessionid sid sig sign signature token""".split()
)
_SECRET_ENDINGS = ("accesskey", "apikey", "credential", "password", "secret", "signature", "token")
# `/attachments/token/…`; and a signed token, wherever it stands.
_SECRET_PATH = re.compile(
    r"/tokens?/[^/?#\s]|\beyJ[\w-]{8,}\.[\w-]{4,}\.?|/(?:reset_?password|password/reset)/[^/?#\s]",
    re.IGNORECASE,
)
_TOKEN_IN_TEXT = re.compile(r"(/attachments?/token/)[^\s<>\"']+", re.IGNORECASE)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_WEB = frozenset({"http", "https"})
_MOST_DECODING = 3
_BRACES = {"{": "%7B", "}": "%7D", '"': "%22", "<": "%3C", ">": "%3E"}
_BLANKS = re.compile(r"[\x00-\x20\x7f]+")


def scheme_of(address: str) -> str:
    """The scheme in lower case; empty for a relative address."""
    found = _SCHEME.match(address)
    return found.group(1).lower() if found else ""


def to_target(address: str) -> str | None:
    """The address as a link may carry it; None for one that is unsafe, relative, or a secret.

    No brace is left in it that a template language could take for its own.
    """
    clean = _BLANKS.sub("", address)
    scheme = scheme_of(clean)
    if scheme == "mailto" and len(clean) > len("mailto:"):
        return _without_braces(clean)
    if scheme not in _WEB or _host(clean) is None or carries_secret(clean):
        return None
    return _without_braces(clean)


def carries_secret(address: str) -> bool:
    """Whether holding the address is enough to get at something."""
    text = address
    for _ in range(_MOST_DECODING):
        if _has_secret(text):
            return True
        text = unquote(text)
    return _has_secret(text)


def without_secret(address: str) -> str:
    """What may be shown of an address: where it leads, not what for."""
    host = _host(_BLANKS.sub("", address))
    return f"{scheme_of(address)}://{host}/…" if host else "…"


def without_tokens(text: str) -> str:
    """A text in which no attachment's address gives access to the file any more."""
    return _TOKEN_IN_TEXT.sub(r"\1…", text)


def file_name(address: str) -> str:
    """The file that an address names, for people to read; empty where it names none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    names = parse_qs(parts.query, max_num_fields=50) if parts.query.count("&") < 50 else {}
    for key in ("name", "filename", "file"):
        if names.get(key):
            return names[key][0]
    if scheme_of(address) not in _WEB or _SECRET_PATH.search(parts.path):
        return ""
    return unquote(parts.path.rpartition("/")[2])


def _has_secret(address: str) -> bool:
    try:
        if "@" in urlsplit(address).netloc:
            return True
    except ValueError:
        return True
    if _SECRET_PATH.search(address):
        return True
    return any(_is_secret_name(name) for name in _PARAMETER.findall(address))


def _is_secret_name(name: str) -> bool:
    plain = re.sub(r"[-_.]", "", name.lower())
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS)


def _host(address: str) -> str | None:
    """The host of a web address, without a user's name; None where there is none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _without_braces(address: str) -> str:
    return "".join(_BRACES.get(character, character) for character in address)
