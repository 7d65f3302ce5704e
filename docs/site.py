"""What the site does to the pages: files outside `docs/` come along as text, diagrams as pictures.

On a forge both work by themselves: a link leads into the tree, and a diagram is drawn from its
source. The site has neither, and asks no other host for a program that draws.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_LINK = re.compile(r"(\]\()(\.\./[^)#\s]+)(\))")
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKED = re.compile(r"`([^`\n]*<!\[[^`\n]*)`")
_FOLDER = "sources"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Take along what pages link to outside the docs, under a name that browsers show as text."""
    root = Path(config.docs_dir).parent
    for page in list(files.documentation_pages()):
        for _, link, _ in _LINK.findall(page.content_string):
            outside = _outside(page.src_uri, link)
            if outside is None or files.get_file_from_path(_copy_of(outside)) is not None:
                continue
            if not (root / outside).is_file():
                raise PluginError(f"{page.src_uri} links to {link}, which is no file")
            text = (root / outside).read_text(encoding="utf-8")
            files.append(File.generated(config, _copy_of(outside), content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Lead links to what came along, and show each diagram by its picture."""
    here = page.file.src_uri

    def led(match: re.Match[str]) -> str:
        outside = _outside(here, match[2])
        if outside is None:
            return match[0]
        link = posixpath.relpath(_copy_of(outside), posixpath.dirname(here) or ".")
        return f"{match[1]}{link}{match[3]}"

    def shown(match: re.Match[str]) -> str:
        picture = posixpath.relpath(_picture_of(match[1], config), posixpath.dirname(here) or ".")
        return f"![The diagram]({picture}){{ .diagram }}"

    return _MARKED.sub(_spelt, _LINK.sub(led, _DIAGRAM.sub(shown, markdown)))


def _spelt(code: re.Match[str]) -> str:
    """Such code as HTML: mkdocs reads it as the beginning of a declaration, and stops."""
    return f"<code>{html.escape(code[1])}</code>"


def _outside(page: str, link: str) -> str | None:
    """The linked file's path from the repository's root, or None for one inside the docs."""
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    return None if path.startswith("docs/") else path


def _copy_of(path: str) -> str:
    return f"{_FOLDER}/{path}.txt"


def _picture_of(source: str, config: MkDocsConfig) -> str:
    mark = hashlib.sha256(source.encode()).hexdigest()[:16]
    for picture in sorted((Path(config.docs_dir) / "diagrams").glob("*.svg")):
        if mark in picture.read_text(encoding="utf-8").partition("\n")[0]:
            return f"diagrams/{picture.name}"
    raise PluginError(
        f"no picture in docs/diagrams is of diagram {mark}: draw it with mermaid as SVG, and let"
        f" its first line be <!-- drawn from the diagram {mark} -->"
    )
