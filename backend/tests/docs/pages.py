"""Parses the documentation pages: code spans, code blocks, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file. `code` contains its code blocks and code spans."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """(language, text) of each fenced block."""
        return _FENCE.findall(self.text)

    @property
    def spans(self) -> list[str]:
        return _SPAN.findall(_FENCE.sub("", self.text))

    @property
    def code(self) -> list[str]:
        return [text for _, text in self.blocks] + self.spans

    @property
    def links(self) -> list[str]:
        """Targets of links to files in the repository, without anchors."""
        targets = _LINK.findall(_FENCE.sub("", self.text))
        return [
            target.split("#")[0] for target in targets if "://" not in target and not target.startswith("#")
        ]


def read_page(path: Path) -> Page:
    return Page(path, path.read_text())
