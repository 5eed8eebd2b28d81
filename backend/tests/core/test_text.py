"""What may be stored, and what things may be called."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crewai_runner.core.text import (
    MAX_JSON_DEPTH,
    Name,
    check_storable,
    join_surrogates,
    pick_unused_name,
    replace_unstorable,
)

NAME = TypeAdapter(Name)


@pytest.mark.parametrize("given", [" Größe 7 ☃ ", "a"])
def test_a_name_is_trimmed(given: str) -> None:
    assert NAME.validate_python(given) == given.strip()


@pytest.mark.parametrize("given", ["", "  ", "a\nb", "a\x00b", "a\u202eb", "\ud800", "a" * 201])
def test_a_name_is_one_printable_line(given: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(given)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text\n", [1, {"a": ["b"]}], {}])
def test_json_passes_as_it_is(value: Any) -> None:
    assert check_storable(value) == value


@pytest.mark.parametrize(
    "value", ["\x00", ["\x00"], {"a\x00": 1}, {"a": "\ud800"}, math.nan, [math.inf], {"a": -math.inf}]
)
def test_what_no_database_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must not hold"):
        check_storable(value)


def test_nesting_has_an_end() -> None:
    value: Any = 1
    for _ in range(MAX_JSON_DEPTH):
        value = [value]

    check_storable(value)
    with pytest.raises(ValueError, match="nested"):
        check_storable([value])


def test_the_first_free_name_is_found() -> None:
    assert pick_unused_name("local", set()) == "local"
    assert pick_unused_name("local", {"local", "local (built-in 1)"}) == "local (built-in 2)"


@given(st.text(st.characters(exclude_categories=[]), max_size=20))
def test_a_repaired_text_can_be_stored_and_a_sound_one_stays_as_it_is(text: str) -> None:
    mended = replace_unstorable(text)

    check_storable(mended)
    mended.encode()  # raises for half a character
    assert len(mended) == len(text)
    assert replace_unstorable(mended) == mended


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("plain \u2603 \U0001f600", "plain \u2603 \U0001f600"),
        ("half \ud800 of it", "half \ufffd of it"),
        ("cut \ud83d\ude00 in two", "cut \U0001f600 in two"),
        ("the wrong way \ude00\ud83d", "the wrong way \ufffd\ufffd"),
        ("nul\x00", "nul\ufffd"),
    ],
)
def test_halves_that_belong_together_become_one_character(text: str, sound: str) -> None:
    assert join_surrogates(text) == sound
    assert join_surrogates(sound) is sound
