"""Extracts the visible text of an HTML page in linear time, also for malformed or hostile input."""

import html
import re

_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^<>]*+>|<(?P<name>/?[a-zA-Z][a-zA-Z0-9-]*+)[^<>]*+>", re.DOTALL
)
# `html.unescape` refuses to convert thousands of digits; no character has a number this long.
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{9,}+|[xX][0-9a-fA-F]{9,}+);?")
_INVISIBLE = "script|style|noscript|template|svg|iframe|textarea"
_INVISIBLE_ELEMENTS = frozenset(_INVISIBLE.split("|"))
# Not a search in `page.lower()`: that can be longer than the page, so that positions in it are wrong.
_INVISIBLE_END = re.compile(rf"</({_INVISIBLE})", re.IGNORECASE | re.ASCII)
_BLOCK_ELEMENTS = frozenset(
    name
    for line in (
        "address article aside blockquote br dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr",
        "li main nav ol option p pre section table td tfoot th thead title tr ul",
    )
    for name in line.split()
)


def html_to_text(page: str) -> str:
    """Return the text without markup, scripts and styles, one line per block element."""
    pieces: list[str] = []
    position = 0
    while (tag := _MARKUP.search(page, position)) is not None:
        pieces.append(page[position : tag.start()])
        name = (tag["name"] or "").lower()
        position = tag.end()
        if name in _INVISIBLE_ELEMENTS:
            position = _find_end(page, name, position)
        elif name.removeprefix("/") in _BLOCK_ELEMENTS:
            pieces.append("\n")
    pieces.append(page[position:])
    text = _LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", "".join(pieces))
    return _normalize_space(html.unescape(text))


def _find_end(page: str, name: str, start: int) -> int:
    """Return the position of the element's end tag, or the end of the page."""
    ends = (end.start() for end in _INVISIBLE_END.finditer(page, start) if end[1].lower() == name)
    return next(ends, len(page))


def _normalize_space(text: str) -> str:
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
