"""Walk a page of the docs: its commands are typed into one shell, as a reader would.

The shell has the program on its path, a home and a folder of its own, and nothing of the checkout.
Ports of the page are replaced by free ones, so that two walks do not meet.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from syncd.cli.demo.processes import free_port

_BLOCK_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"\b(8025|8081|8444|8445|8480)\b")


class Stuck(AssertionError):
    """Something that the page promises did not come; the message shows what was there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The blocks of a page by its sections, in order, with ports that are free here."""

    sections: dict[str, tuple[tuple[str, str], ...]]
    ports: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> Page:
        """The page of a file."""
        text = path.read_text(encoding="utf-8")
        found = {port: free_port() for port in _PORT.findall(text)}
        text = _PORT.sub(lambda match: str(found[match[1]]), text)
        sections = {
            title: tuple((kind, block) for kind, block in _FENCE.findall(body))
            for title, body in _SECTION.findall(text)
        }
        return cls(sections=sections, ports=found)

    def commands(self, section: str) -> tuple[str, ...]:
        """What a section has a reader type, block by block."""
        return tuple(block for kind, block in self.sections[section] if kind == "sh")

    def file(self, section: str) -> str:
        """The one file that a section has a reader save."""
        (text,) = (block for kind, block in self.sections[section] if kind == "yaml")
        return text


class Shell:
    """One bash, with which a reader goes from block to block."""

    def __init__(self, folder: Path, program: Path) -> None:
        # Nothing of the surroundings but what a login would have, and the coverage of a run.
        kept = {k: v for k, v in os.environ.items() if k.startswith(("LANG", "LC_", "COV"))}
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607
            cwd=folder,
            env={**kept, "HOME": str(folder), "PATH": f"{program.parent}:/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def type(self, block: str, *, code: int | None = 0) -> str:
        """Type a block; returns what was printed meanwhile, by others too.

        Each of its lines must succeed; `code` is that of the last one, None where any will do.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{block}\nprintf '\\n__end__ %s\\n' $?\n")
        self._process.stdin.flush()
        said: list[str] = []
        watch = threading.Timer(_BLOCK_SECONDS, self.end)
        watch.start()
        try:
            for line in self._process.stdout:
                if line.startswith("__end__ "):
                    ended = int(line.split()[1])
                    text = "".join(said)
                    if code is not None and ended != code:
                        raise Stuck(f"ended with {ended}:\n{block}\n{text}")
                    return text
                said.append(line)
        finally:
            watch.cancel()
        raise Stuck(f"the shell ended in:\n{block}\n{''.join(said)}")

    def until(self, command: str, words: str, *, seconds: float = 90.0) -> str:
        """Type a command again and again until it prints the words; returns all that it printed."""
        deadline = time.monotonic() + seconds
        while True:
            said = self.type(command, code=None)
            if words in said:
                return said
            if time.monotonic() > deadline:
                raise Stuck(f"no {words!r} from {command!r} within {seconds:g} s:\n{said}")
            time.sleep(_LOOK_SECONDS)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End the shell, and all that it has started, by their group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def clear(self) -> None:
        """The same, and wait until they are gone."""
        self.end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        self.end(signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(15)


@contextlib.contextmanager
def walking(folder: Path, program: Path) -> Iterator[Shell]:
    """A shell whose processes are gone when the block is left."""
    shell = Shell(folder, program)
    try:
        yield shell
    finally:
        shell.clear()


def a_prefix(folder: Path) -> Path:
    """An environment of its own that borrows the packages of this one, but not syncd."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    borrowed = Path(httpx.__file__).parents[1]
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return folder


def install(prefix: Path, tree: Path, scratch: Path) -> Path:
    """Build a checkout's wheel, install it, and whatever was installed before goes; the program."""
    scratch.mkdir()
    for command in (
        ["hatchling", "build", "-t", "wheel", "-d", str(scratch)],
        [
            *("pip", "--python", str(prefix / "bin" / "python"), "install", "--quiet"),
            *("--no-index", "--no-deps", "--force-reinstall", "--disable-pip-version-check"),
            *("--find-links", str(scratch), "syncd"),
        ],
    ):
        subprocess.run([sys.executable, "-m", *command], cwd=tree, check=True, capture_output=True)
    return prefix / "bin" / "syncd"
