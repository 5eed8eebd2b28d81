"""Measures how the time of a function grows with the length of adversarial texts."""

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_EXPONENT = 1.3
_FIRST_LENGTH = 250
_LAST_LENGTH = 4_000
_LONG_SECONDS = 0.01
_NEGLIGIBLE_SECONDS = 0.0005
_ATTEMPTS = 4

UNITS = (
    *(
        " ",
        "\n",
        "\t",
        "a",
        "A",
        "Aa",
        "0",
        "1,",
        "_",
        "-",
        ".",
        ",",
        ":",
        "/",
        "\\",
        '"',
        '\\"',
        "'",
        "```",
        "#",
        "@",
    ),
    *(
        "{",
        "}",
        "[",
        "(",
        "<",
        ">",
        "<a",
        "<!--",
        "&#",
        "Action:",
        "Action 1 Input:",
        "a b ",
        "a\n",
        "\x00",
        "{a",
    ),
    *('{"a":', '"a",', "/*", "key=", "http://", "\n\n---", "\u0301\u0323"),
)
_TAIL = "\x00"


@dataclass(frozen=True)
class Family:
    """Texts of any length: a head, a repeated unit and a tail."""

    head: str
    unit: str
    tail: str

    def text(self, length: int) -> str:
        return self.head + self.unit * max(1, length // len(self.unit)) + self.tail


def find_growth(call: Callable[[str], object], family: Family) -> float | None:
    """Return the exponent of the time's growth with the length if it is above the limit.

    The lengths are doubled twice until a call takes long. Times are CPU times of this thread, compared with
    each other only, so that a slow machine changes nothing; a high exponent must be measured several times.
    """
    length = _FIRST_LENGTH
    while (seconds := _measure(call, family.text(length))) < _LONG_SECONDS and length < _LAST_LENGTH:
        length *= 4
    if seconds < _NEGLIGIBLE_SECONDS:
        return None
    exponents: list[float] = []
    for _ in range(_ATTEMPTS):
        long = min(_measure(call, family.text(length)) for _ in range(2))
        short = min(_measure(call, family.text(length // 4)) for _ in range(6))
        exponents.append(math.log(long / max(short, 1e-9)) / math.log(4))
        if exponents[-1] <= MAX_EXPONENT:
            return None
    return min(exponents)


def families(*patterns: str) -> Iterator[Family]:
    """Yield adversarial texts: the common ones, and those derived from the syntax of the patterns."""
    pairs = dict.fromkeys(("", unit) for unit in UNITS)
    for pattern in patterns:
        pairs |= dict.fromkeys(_derived(parser.parse(pattern)))
    for head, unit in pairs:
        yield Family(head, unit, _TAIL)


def _measure(call: Callable[[str], object], text: str) -> float:
    started = time.thread_time()
    call(text)
    return time.thread_time() - started


def _derived(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield heads and units for each repetition of a pattern: what precedes it, and what it repeats."""
    for before, body in _repetitions(tree, ""):
        for unit in _samples(body):
            if not unit:
                continue
            yield before, unit
            yield "", before + unit
            yield unit, before or unit
    example = _sample(tree)
    if example:
        yield "", example
        yield "", example[:-1] or example


def _repetitions(tree: Any, before: str) -> Iterator[tuple[str, Any]]:
    for operation, argument in tree:
        if operation in _REPEATS:
            if argument[1] == ops.MAXREPEAT or argument[1] > 20:
                yield before, argument[2]
            yield from _repetitions(argument[2], before)
        elif operation is ops.SUBPATTERN:
            yield from _repetitions(argument[3], before)
        elif operation is ops.BRANCH:
            for branch in argument[1]:
                yield from _repetitions(branch, before)
        elif operation in (ops.ASSERT, ops.ASSERT_NOT):
            yield from _repetitions(argument[1], before)
        elif operation is ops.ATOMIC_GROUP:
            yield from _repetitions(argument, before)
        before += _sample([(operation, argument)])


_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_PROBES = " \n\t1aA\"'\\/{}[]()<>,.:-_=*#@x\x00"


def _samples(tree: Any) -> list[str]:
    """Return short texts that a part of a pattern matches."""
    if len(tree) == 1 and tree[0][0] is ops.BRANCH:
        return [_sample(branch) for branch in tree[0][1][1]]
    if len(tree) == 1 and tree[0][0] is ops.SUBPATTERN:
        return _samples(tree[0][1][3])
    if len(tree) == 1 and tree[0][0] in (ops.IN, ops.NOT_LITERAL, ops.ANY):
        return [char for char in _PROBES if _matches(tree[0], char)][:8] or [_sample(tree)]
    return [_sample(tree)]


def _sample(tree: Any) -> str:
    text = ""
    for operation, argument in tree:
        if operation is ops.LITERAL:
            text += chr(argument)
        elif operation in (ops.NOT_LITERAL, ops.ANY, ops.IN):
            text += next((char for char in "a1 \n" + _PROBES if _matches((operation, argument), char)), "a")
            if operation is ops.IN and text[-1:] == "a" and argument[0][0] is ops.LITERAL:
                text = text[:-1] + chr(argument[0][1])
        elif operation in _REPEATS:
            text += _sample(argument[2]) * argument[0]
        elif operation is ops.SUBPATTERN:
            text += _sample(argument[3])
        elif operation is ops.ATOMIC_GROUP:
            text += _sample(argument)
        elif operation is ops.BRANCH:
            text += _sample(argument[1][0])
        elif operation is ops.ASSERT and argument[0] > 0:
            text += _sample(argument[1])
    return text


def _matches(node: Any, char: str) -> bool:
    operation, argument = node
    if operation is ops.ANY:
        return char != "\n"
    if operation is ops.NOT_LITERAL:
        return ord(char) != argument
    negated = argument[0][0] is ops.NEGATE
    return negated != any(_is_member(item, char) for item in argument[negated:])


def _is_member(item: Any, char: str) -> bool:
    operation, argument = item
    if operation is ops.LITERAL:
        return ord(char) == argument
    if operation is ops.RANGE:
        return argument[0] <= ord(char) <= argument[1]
    return operation is ops.CATEGORY and re.fullmatch(_CLASSES[argument], char) is not None


_CLASSES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}
