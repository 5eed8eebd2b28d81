"""The readable text of a web page, in time that grows with its length alone, however it is written."""

import html
import re

_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^<>]*>|<(?P<name>/?[a-zA-Z][a-zA-Z0-9-]*)[^<>]*>", re.DOTALL)
_UNREAD = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "textarea"})
_BLOCKS = (
    "address article aside blockquote br dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main",
    "nav ol option p pre section table td tfoot th thead title tr ul",
)
_BREAKS = frozenset(name for line in _BLOCKS for name in line.split())


def page_text(page: str) -> str:
    """The text a reader sees: no markup, scripts or styles; one line per block."""
    lower = page.lower()
    pieces: list[str] = []
    at = 0
    while (found := _MARKUP.search(page, at)) is not None:
        pieces.append(page[at : found.start()])
        name = (found["name"] or "").lower()
        at = found.end()
        if name in _UNREAD:
            end = lower.find(f"</{name}", at)
            at = len(page) if end < 0 else end
        elif name.removeprefix("/") in _BREAKS:
            pieces.append("\n")
    pieces.append(page[at:])
    return _tidy(html.unescape("".join(pieces)))


def _tidy(text: str) -> str:
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
