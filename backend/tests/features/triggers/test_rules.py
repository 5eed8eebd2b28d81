"""JSON pointers: the examples of RFC 6901, and what points nowhere."""

from typing import Any

import pytest

from crewai_runner.features.triggers.rules import (
    PointsNowhere,
    find_pointer_problem,
    map_inputs,
    resolve_pointer,
)

RFC: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_rfc_6901(pointer: str, expected: object) -> None:
    assert find_pointer_problem(pointer) is None
    assert resolve_pointer(RFC, pointer) == expected


@pytest.mark.parametrize("pointer", ["/foo/2", "/foo/-", "/foo/01", "/foo/-1", "/foo/x", "/none", "/a/b"])
def test_points_nowhere(pointer: str) -> None:
    with pytest.raises(PointsNowhere):
        resolve_pointer(RFC, pointer)


@pytest.mark.parametrize("pointer", ["foo", "/a~b", "/a~", "/~2"])
def test_is_no_pointer(pointer: str) -> None:
    assert find_pointer_problem(pointer) is not None


def test_mapping_leaves_out_what_is_missing() -> None:
    assert map_inputs({"a": None, "b": 1}, {"x": "/a", "y": "/b", "z": "/c"}) == {"x": None, "y": 1}
