"""Validation of names and stored text."""

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
    decode_text,
    join_surrogates,
    pick_unused_name,
    replace_unstorable,
)

NAME = TypeAdapter(Name)


class TestName:
    @pytest.mark.parametrize("given", [" Größe 7 ☃ ", "a"])
    def test_is_trimmed(self, given: str) -> None:
        assert NAME.validate_python(given) == given.strip()

    @pytest.mark.parametrize("given", ["", "  ", "a\nb", "a\x00b", "a\u202eb", "\ud800", "a" * 201])
    def test_must_be_one_printable_line(self, given: str) -> None:
        with pytest.raises(ValidationError):
            NAME.validate_python(given)


class TestCheckStorable:
    @pytest.mark.parametrize("value", [None, True, 1, 1.5, "text\n", [1, {"a": ["b"]}], {}])
    def test_returns_valid_json_unchanged(self, value: Any) -> None:
        assert check_storable(value) == value

    @pytest.mark.parametrize(
        "value", ["\x00", ["\x00"], {"a\x00": 1}, {"a": "\ud800"}, math.nan, [math.inf], {"a": -math.inf}]
    )
    def test_rejects_what_databases_cannot_store(self, value: Any) -> None:
        with pytest.raises(ValueError, match="must not hold"):
            check_storable(value)

    def test_limits_nesting(self) -> None:
        value: Any = 1
        for _ in range(MAX_JSON_DEPTH):
            value = [value]

        check_storable(value)
        with pytest.raises(ValueError, match="nested"):
            check_storable([value])


class TestPickUnusedName:
    def test_numbers_a_taken_name(self) -> None:
        assert pick_unused_name("local", set()) == "local"
        assert pick_unused_name("local", {"local", "local (built-in 1)"}) == "local (built-in 2)"


class TestReplaceUnstorable:
    @given(st.text(st.characters(exclude_categories=[]), max_size=20))
    def test_result_is_storable_and_stable(self, text: str) -> None:
        replaced = replace_unstorable(text)

        check_storable(replaced)
        replaced.encode()  # raises for a surrogate
        assert len(replaced) == len(text)
        assert replace_unstorable(replaced) == replaced


class TestJoinSurrogates:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("plain \u2603 \U0001f600", "plain \u2603 \U0001f600"),
            ("half \ud800 of it", "half \ufffd of it"),
            ("cut \ud83d\ude00 in two", "cut \U0001f600 in two"),
            ("the wrong way \ude00\ud83d", "the wrong way \ufffd\ufffd"),
            ("nul\x00", "nul\ufffd"),
        ],
    )
    def test_joins_split_pairs_and_replaces_the_rest(self, text: str, expected: str) -> None:
        assert join_surrogates(text) == expected
        assert join_surrogates(expected) is expected


class TestDecodeText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_encodings_of_editors(self, encoding: str) -> None:
        assert decode_text("name: Größe 文\r\n".encode(encoding)) == "name: Größe 文\r\n"

    def test_big_endian_with_mark(self) -> None:
        assert decode_text(b"\xfe\xff" + "a文".encode("utf-16-be")) == "a文"

    @pytest.mark.parametrize("content", [b"\xff", b"\xff\xfea", "Größe".encode("latin-1")])
    def test_other_bytes_are_refused(self, content: bytes) -> None:
        with pytest.raises(UnicodeDecodeError):
            decode_text(content)
