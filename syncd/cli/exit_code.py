"""What the exit codes of `syncd` mean; scripts and supervisors may rely on them.

`syncd status --check` alone speaks the monitoring plugins' language instead, see `core.verdict`.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Every code that a command can end with, and when."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    OK = 0, "Done; or stopped as asked."
    ATTENTION = 1, "Done, and something needs a person: the output says what."
    USAGE = 2, "The configuration or the command line is wrong, or names what does not exist."
    DESK = 3, "A desk cannot be reached, refuses the credential or answers otherwise than hoped."
    STORE = 4, "The store is missing, locked, full or damaged."
    STORE_AGE = (
        5,
        ("The store is of a newer syncd, or older than what was written last: no new try helps."),
    )
    BUG = 70, "A bug in syncd; the message says where."
    INTERRUPTED = 130, "Interrupted by Ctrl-C; what was done stays done."
