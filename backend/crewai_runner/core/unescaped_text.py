"""Text without its escape sequences, with the position of each character in the original."""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Each match consumes a whole run of backslashes, so that searching is linear.
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4}))?|%([0-9a-fA-F]{2})")
_OPEN_ESCAPE = re.compile(r"(?:%[0-9a-fA-F]?|\\u[0-9a-fA-F]{0,3}|\\)\Z")
_MAX_OPEN_ESCAPE = 5


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of the unescaped text: `start` in it, `lead` (with preceding backslashes) and `origin`."""

    start: int
    lead: int
    origin: int
    width: int
    """Original characters of each character: 1, or the length of a sequence that stands for one character."""


class UnescapedText:
    """The text without backslashes, and with `\\uXXXX` and `%XX` decoded.

    Removing all backslashes makes a text equal to itself at any level of escaping: an error of a provider
    may be JSON in a Python string in JSON, each level of which escapes the level below.
    """

    def __init__(self, original: str) -> None:
        self._segments: list[_Segment] = []
        self._length = len(original)
        pieces: list[str] = []
        at = size = lead = 0
        for match in _ESCAPE.finditer(original):
            if match.start() > at:
                self._segments.append(_Segment(size, lead, at, 1))
                pieces.append(original[at : match.start()])
                size, lead = size + match.start() - at, match.start()
            digits = match[1] or match[2]
            if digits:
                self._segments.append(_Segment(size, lead, match.start(), match.end() - match.start()))
                pieces.append(chr(int(digits, 16)))
                size, lead = size + 1, match.end()
            at = match.end()
        if at < len(original):
            self._segments.append(_Segment(size, lead, at, 1))
            pieces.append(original[at:])
        self.text = "".join(pieces)

    def original_start(self, index: int) -> int:
        """Return where a character begins in the original, with the backslashes before it."""
        if index >= len(self.text):
            return self._length
        segment = self._segment_of(index)
        return segment.lead if index == segment.start else segment.origin + index - segment.start

    def original_end(self, index: int) -> int:
        """Return where the character ends in the original."""
        segment = self._segment_of(index)
        return segment.origin + (index - segment.start) + segment.width

    def find(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Yield the (start, end) of each occurrence in the original, overlapping ones too."""
        at = self.text.find(wanted)
        while at >= 0:
            yield self.original_start(at), self.original_end(at + len(wanted) - 1)
            at = self.text.find(wanted, at + 1)

    def _segment_of(self, index: int) -> _Segment:
        return self._segments[bisect.bisect_right(self._segments, index, key=lambda one: one.start) - 1]


def find_open_escape(text: str) -> int:
    """Return where an escape sequence begins that the end of the text cuts off; the text's length if none."""
    match = _OPEN_ESCAPE.search(text[-_MAX_OPEN_ESCAPE:])
    if match is None:
        return len(text)
    start = max(len(text) - _MAX_OPEN_ESCAPE, 0) + match.start()
    return len(text[:start].rstrip("\\")) if text[start] == "\\" else start
