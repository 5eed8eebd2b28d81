"""The readable text of a web page."""

import re
from html.parser import HTMLParser

_UNREAD = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "head"})
_READ_IN_HEAD = "title"
_BREAKS = frozenset(
    "address article aside blockquote br dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol "
    "p pre section table tbody td tfoot th thead title tr ul".split()
)
_NO_END = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unread: list[str] = []
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _UNREAD:
            self._unread.append(tag)
        self._title = tag == _READ_IN_HEAD
        if tag == "body":
            self._unread.clear()
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            while self._unread.pop() != tag:
                continue
        self._title = False
        if tag in _BREAKS and tag not in _NO_END:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread or (self._title and self._unread == ["head"]):
            self.pieces.append(data)


def page_text(html: str) -> str:
    """The text a reader sees: no markup, scripts or styles; one line per block."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(reader.pieces).split("\n"))
    return "\n".join(line for line in lines if line)
