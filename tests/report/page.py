"""A page as a browser would take it apart."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = {"meta", "input", "br", "img", "link", "hr"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "poster", "action"}


class Page(HTMLParser):
    """Checks that every tag is closed, and keeps texts, JSON blocks, and what could be loaded."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.json: dict[str, Any] = {}
        self.scripts: list[str] = []
        self._pairs: list[list[str]] = []
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("dt", "dd"):
            self._pairs.append([tag, ""])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            name = dict(self.tags[-1][1]).get("id")
            if name is None:
                self.scripts.append(data)
            else:
                self.json[name] = json.loads(data, parse_constant=_refuse)
        elif inside != "style":
            self.texts.append(data)
        if inside in ("dt", "dd"):
            self._pairs[-1][1] += data

    @property
    def facts(self) -> dict[str, str]:
        """The first text under every name of a list of facts."""
        found: dict[str, str] = {}
        for (_, name), (_, text) in zip(self._pairs[::2], self._pairs[1::2], strict=True):
            found.setdefault(name, text)
        return found

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def loaded(self) -> list[str]:
        """Everything that a browser would fetch."""
        return [value or "" for _, attrs in self.tags for name, value in attrs.items() if name in LOADING]


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
