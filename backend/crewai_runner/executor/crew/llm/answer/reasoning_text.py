"""Separates a model's reasoning, written in tags such as `<think>`, from its answer."""

import re

from crewai_runner.executor.port import ReplacingText

_TOKEN = re.compile(
    r"(?P<fence>```)|[<\[◁](?P<end>/)?(?P<name>(?:[a-z]{1,8}:)?(?:think(?:ing)?|thought))[>\]▷]",
    re.IGNORECASE,
)
_PARTIAL_TOKEN = re.compile(r"(?:`{1,2}|[<\[◁]/?[a-z:]{0,18})\Z", re.IGNORECASE)
_LONGEST_TOKEN = 24
_LINE_START = re.compile(r"(?:\A|\n)[ \t]*\Z")
_QUOTES = ("`", "'", '"', "\\")


class ReasoningSplitter:
    """Splits streamed text into answer and reasoning, wherever the pieces are cut.

    Reasoning is what stands between an opening and a closing tag, after an opening tag at the start of a line
    that is never closed, and before a closing tag without an opening one (some models' templates begin inside
    the reasoning). Tags in quotes and in code blocks are part of the answer.
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._answer: list[str] = []
        self._reasoning: list[str] = []
        self._opened_by: str | None = None
        self._opened_at_line_start = False
        self._unclosed: list[str] = []
        self._is_in_code = False
        self._has_literal_tag = False
        self._is_replaced = False
        """Whether the scanned text makes reasoning of text that was returned before."""
        self._tail = ""
        """The last characters of the answer."""

    def feed(self, text: str) -> str:
        """Add a piece; return the text that belongs to the answer and is new.

        A ReplacingText if the text returned before has turned out to be reasoning.
        """
        self._buffer += text
        return self._scan(is_final=False)

    def finish(self) -> str:
        """Return the rest of the answer at the end of the text."""
        rest = self._scan(is_final=True)
        if self._opened_by is None:
            return rest
        self._opened_by = None
        if self._opened_at_line_start:
            self._reasoning += self._unclosed[1:]
            return rest
        self._answer += self._unclosed
        return rest + "".join(self._unclosed)

    @property
    def answer(self) -> str:
        """The answer so far; without the empty lines that followed the reasoning."""
        text = "".join(self._answer)
        return text.strip() if self._reasoning else text

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning).strip()

    def _scan(self, *, is_final: bool) -> str:
        new: list[str] = []
        start = 0
        self._is_replaced = False
        for token in _TOKEN.finditer(self._buffer):
            self._add(self._buffer[start : token.start()], new)
            self._take_token(token, new)
            start = token.end()
        rest = self._buffer[start:]
        held = None if is_final else _PARTIAL_TOKEN.search(rest, max(0, len(rest) - _LONGEST_TOKEN))
        self._buffer = held.group() if held else ""
        self._add(rest[: len(rest) - len(self._buffer)], new)
        return ReplacingText("".join(new)) if self._is_replaced else "".join(new)

    def _add(self, text: str, new: list[str]) -> None:
        if self._opened_by is not None:
            self._unclosed.append(text)
        elif text:
            self._answer.append(text)
            self._tail = (self._tail + text)[-_LONGEST_TOKEN:]
            new.append(text)

    def _take_token(self, token: re.Match[str], new: list[str]) -> None:
        name = (token["name"] or "").lower()
        if self._opened_by is not None:
            self._take_token_of_reasoning(token, name)
        elif token["fence"]:
            self._is_in_code = not self._is_in_code
            self._add(token.group(), new)
        elif self._is_in_code or self._tail.endswith(_QUOTES) or (token["end"] and self._has_literal_tag):
            self._has_literal_tag = True
            self._add(token.group(), new)
        elif token["end"]:  # everything so far was reasoning
            self._is_replaced = self._is_replaced or len(self._answer) > len(new)
            self._reasoning += self._answer
            self._answer.clear()
            new.clear()
            self._tail = ""
        else:
            self._opened_by = name
            self._opened_at_line_start = _LINE_START.search(self._tail) is not None
            self._unclosed = [token.group()]

    def _take_token_of_reasoning(self, token: re.Match[str], name: str) -> None:
        if token["end"] and name == self._opened_by:
            self._reasoning += self._unclosed[1:]
            self._opened_by = None
        else:
            self._unclosed.append(token.group())


def split_reasoning(text: str) -> tuple[str, str]:
    """Return the answer and the reasoning of a whole text."""
    splitter = ReasoningSplitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.answer, splitter.reasoning
