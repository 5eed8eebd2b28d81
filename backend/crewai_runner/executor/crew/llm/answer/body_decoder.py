"""Decodes the body of a model's response, in whichever format the provider sends it."""

import codecs
import json
import re
from enum import Enum
from typing import Any

from crewai_runner.executor.crew.context.exceptions import UnreadableAnswer

_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")
_DONE = frozenset({"[DONE]", "DONE"})
_MAX_QUOTED = 300


class _Format(Enum):
    UNKNOWN = "unknown"
    EVENTS = "events"
    JSON = "json"


class BodyDecoder:
    """Turns bytes into JSON payloads.

    Reads server-sent events (any line ends, comments, several lines of data, a byte order mark, a missing
    last line), one JSON document, and one JSON document per line. The first character decides, not the
    content type and not whether the request asked for a stream. Raises UnreadableAnswer for anything else.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._format = _Format.UNKNOWN
        self._partial: list[str] = []
        self._data: list[str] = []
        self._event = ""
        self.is_done = False
        """Whether the provider has sent `[DONE]`."""
        self.stray_text: str | None = None
        """The first text of the body that belongs to no event; what a provider says when it cannot answer."""

    @property
    def is_event_stream(self) -> bool:
        return self._format is _Format.EVENTS

    def feed(self, data: bytes) -> list[Any]:
        """Return the payloads that are complete now."""
        return self._feed(self._decoder.decode(data))

    def finish(self) -> list[Any]:
        """Return the remaining payloads at the end of the body."""
        payloads = self._feed(self._decoder.decode(b"", final=True))
        rest = "".join(self._partial)
        self._partial.clear()
        if self._format is _Format.JSON:
            return _parse_documents(rest)
        return payloads + self._take_line(rest.rstrip("\r")) + self._dispatch()

    def _feed(self, text: str) -> list[Any]:
        if not text:
            return []
        if self._format is _Format.UNKNOWN:
            text = "".join([*self._partial, text]).lstrip()
            self._partial.clear()
            if not text:
                return []
            self._format = _Format.JSON if text[0] in "{[" else _Format.EVENTS
        self._partial.append(text)
        # Parts are joined at a line end only: a long line in many pieces stays linear.
        if self._format is _Format.JSON or not ("\n" in text or "\r" in text or self._ends_in_return()):
            return []
        *lines, rest = _LINE_END.split("".join(self._partial))
        self._partial = [rest] if rest else []
        return [payload for line in lines for payload in self._take_line(line)]

    def _ends_in_return(self) -> bool:
        return len(self._partial) > 1 and self._partial[-2].endswith("\r")

    def _take_line(self, line: str) -> list[Any]:
        if not line.strip():
            return self._dispatch()
        if line.lstrip().startswith("{"):  # a document without a field name
            return [*self._dispatch(), *self._parse([line])]
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value.strip()
        elif name == "error":
            return [*self._dispatch(), {"error": _parse_or_text(value)}]
        elif name not in ("", "id", "retry"):
            self._note_stray(line)
        return []

    def _note_stray(self, text: str) -> None:
        self.stray_text = self.stray_text or quote(text)

    def _dispatch(self) -> list[Any]:
        lines, event = self._data, self._event
        self._data, self._event = [], ""
        if not lines or self.is_done:
            return []
        if event == "error":
            found = _parse_or_text("\n".join(lines))
            return [found if isinstance(found, dict) and "error" in found else {"error": found}]
        return self._parse(lines)

    def _parse(self, lines: list[str]) -> list[Any]:
        """Parse the data of an event: one document, or one per line where the empty lines are missing."""
        text = "\n".join(lines).strip()
        if text.strip('"').upper() in _DONE:
            self.is_done = True
            return []
        if not text:
            return []
        try:
            return [_loads(text)]
        except ValueError:
            if len(lines) == 1:
                self._note_stray(text)
                return []
        return [payload for line in lines for payload in self._parse([line])]


def _parse_documents(text: str) -> list[Any]:
    try:
        found = _loads(text)
        return found if isinstance(found, list) else [found]
    except ValueError:
        pass
    try:
        return [_loads(line) for line in text.split("\n") if line.strip()]
    except ValueError:
        raise UnreadableAnswer(quote(text)) from None


def _parse_or_text(text: str) -> Any:
    try:
        return _loads(text)
    except ValueError:
        return text.strip()


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _name: None)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def quote(text: str) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(text[: 2 * _MAX_QUOTED].split())
    return line if len(line) <= _MAX_QUOTED else f"{line[:_MAX_QUOTED]}…"
