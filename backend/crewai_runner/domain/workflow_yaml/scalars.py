"""Values of unquoted YAML scalars.

A subset of what CrewAI's own YAML reader recognises: dates, `1:30` and `010` stay text. Text that the
writer leaves unquoted is read back as the same text.
"""

import math
import re

from crewai_runner.domain.workflow_yaml.nodes import MAX_INTEGER, Plain

STR = "tag:yaml.org,2002:str"
_BOOLS = {
    word: truth
    for truth, words in ((True, ("yes", "true", "on")), (False, ("no", "false", "off")))
    for lower in words
    for word in (lower, lower.capitalize(), lower.upper())
}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_HEX = re.compile(r"[-+]?0x[0-9a-fA-F][0-9a-fA-F_]*")
_FLOAT = re.compile(r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_DIGITS = 40


class InvalidScalar(ValueError):
    """An unquoted scalar with a value that a document cannot contain."""


def resolve(text: str) -> Plain:
    """Return the value of an unquoted scalar. Raises InvalidScalar for infinite, NaN and huge numbers."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] in "+-.0123456789":
        return _parse_number(text)
    return text


def _parse_number(text: str) -> Plain:
    if _SPECIAL.fullmatch(text):
        raise InvalidScalar(f"`{text}` is not a finite number. Put it in quotes if it is meant as text.")
    whole, hexadecimal = _INT.fullmatch(text), _HEX.fullmatch(text)
    if whole or hexadecimal:
        return _parse_integer(text, 16 if hexadecimal else 10)
    if _FLOAT.fullmatch(text):
        return _parse_float(text)
    return text


def _parse_integer(text: str, base: int) -> int:
    number = int(text.replace("_", "") or "0", base) if len(text) <= _MAX_DIGITS else MAX_INTEGER
    if abs(number) >= MAX_INTEGER:
        raise InvalidScalar("The number is too large. Put it in quotes if it is meant as text.")
    return number


def _parse_float(text: str) -> float:
    number = float(text.replace("_", ""))
    if not math.isfinite(number):
        raise InvalidScalar("The number is too large. Put it in quotes if it is meant as text.")
    return number
