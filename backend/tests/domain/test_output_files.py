"""Paths of output files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.output_files import (
    find_media_type,
    find_path_problem,
    make_writable,
    normalize_path,
)


class TestPaths:
    @pytest.mark.parametrize("path", ["a.md", "out/en/report.md", "./out//a b.md", "论文/终稿.md"])
    def test_relative_paths_are_accepted(self, path: str) -> None:
        assert find_path_problem(path) is None

    @pytest.mark.parametrize(
        "path",
        ["/etc/passwd", "../a", "a/../../b", "C:/a", "~/a", "a/.env", "a/", "", ".", "con/a", "a/lpt1.txt",
         "a\\b",
         "a\u202eb", "x" * 121, "/".join(["abc"] * 60), "{topic}.md"],
    )  # fmt: skip
    def test_other_paths_are_refused(self, path: str) -> None:
        assert find_path_problem(path) is not None

    def test_normalize_path(self) -> None:
        assert normalize_path("./out//en/./a.md") == "out/en/a.md"

    @pytest.mark.parametrize(
        ("path", "writable"),
        [
            ("/tmp/out/a.md", "tmp/out/a.md"),
            ("../../a.md", "a.md"),
            ("C:\\out\\a.md", "out/a.md"),
            ("~/a.md", "a.md"),
            ("out/{topic}.md", "out/topic.md"),
            ("{dir}/.env", "dir/env"),
            ("out/", "out"),
            ("con/a?.md", "_con/a_.md"),
            ("x" * 130 + ".md", "x" * 120),
            ("{}", None),
            ("..", None),
        ],
    )
    def test_make_writable(self, path: str, writable: str | None) -> None:
        assert make_writable(path) == writable

    @given(st.text(st.sampled_from("a.{}/\\:~ con\u202e"), max_size=300))
    def test_writable_paths_are_accepted(self, path: str) -> None:
        writable = make_writable(path)

        assert writable is None or find_path_problem(writable) is None
        if find_path_problem(path) is None:
            assert writable == normalize_path(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.md", "text/markdown"),
        ("A.JSON", "application/json"),
        ("page.html", "text/plain"),
        ("x.svg", "text/plain"),
        ("noextension", "text/plain"),
        ("two.dots.csv", "text/csv"),
    ],
)
def test_media_type_is_never_active_content(name: str, expected: str) -> None:
    assert find_media_type(name) == expected
