"""Comparing definitions and texts, finding names."""

import random
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.features.workflows import rules
from crewai_runner.features.workflows.rules import (
    attachment,
    differences,
    file_stem,
    free_name,
    unified_diff,
)


def patched(text: str, diff: str, folder: Path) -> str:
    """What `patch` makes of a text."""
    target = folder / "text"
    target.write_bytes(text.encode())
    command = ["patch", "--binary", "--quiet", str(target)]
    subprocess.run(command, input=diff.encode(), check=True, cwd=folder)
    return target.read_bytes().decode()


class TestDifferences:
    def test_matches_agents_and_tasks_by_key(self) -> None:
        before = {"agents": [{"key": "a", "goal": "x"}, {"key": "b", "goal": "y"}], "tasks": []}
        after = {"agents": [{"key": "b", "goal": "z"}, {"key": "c", "goal": "w"}], "tasks": []}

        found = differences(before, after)

        assert [(one.path, one.kind) for one in found] == [
            ("agents.a", "removed"),
            ("agents.b.goal", "changed"),
            ("agents.c", "added"),
        ]

    def test_tells_when_only_the_order_changed(self) -> None:
        before = {"tasks": [{"key": "a"}, {"key": "b"}]}

        found = differences(before, {"tasks": before["tasks"][::-1]})

        assert [tuple(one) for one in found] == [("tasks", "moved", ["a", "b"], ["b", "a"])]

    def test_of_equals_is_empty(self) -> None:
        definition: dict[str, Any] = {"name": "x", "agents": [{"key": "a", "knowledge": ["t"]}]}

        assert differences(definition, definition) == []

    def test_calls_what_was_not_set_before_added(self) -> None:
        assert [tuple(one) for one in differences({"budget": None}, {"budget": {"max_tokens": 5}})] == [
            ("budget", "added", None, {"max_tokens": 5})
        ]


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the `patch` command")
class TestUnifiedDiff:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("a\nb\nc\n", "a\nB\nc\n"),
            ("a\n", "a"),
            ("a\r\nb\r\n", "a\r\nc\r\n"),
            ("a\x0cb\u2028c\n", "a\x0cB\u2028c\nd"),
            ("a\nb", "a\nb\nc"),
        ],
    )
    def test_is_what_patch_understands(self, before: str, after: str, tmp_path: Path) -> None:
        assert patched(before, unified_diff(before, after, "old", "new"), tmp_path) == after

    @pytest.mark.parametrize("ends", [0, 1, 50])
    def test_of_two_long_texts_is_one_hunk_that_patch_understands(
        self, ends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "MAX_LINE_PAIRS", 10)
        same = [f"same {n}\n" for n in range(ends)]
        before = "".join([*same, *(f"old {n}\n" for n in range(9)), *same])
        after = "".join([*same, *(f"new {n}\n" for n in range(7)), *same])

        diff = unified_diff(before, after, "old", "new")

        assert len(re.findall("^@@", diff, re.MULTILINE)) == 1
        assert patched(before, diff, tmp_path) == after


class TestUnifiedDiffAlone:
    def test_of_equal_texts_is_empty(self) -> None:
        assert unified_diff("a\n", "a\n", "old", "new") == ""

    def test_of_the_largest_documents_does_not_take_for_ever(self) -> None:
        lines = [f"{n}\n" for n in range(100_000)]
        before = "".join(lines)
        random.Random(7).shuffle(lines)

        began = time.process_time()
        diff = unified_diff(before, "".join(lines), "old", "new")

        assert diff.startswith("--- old\n+++ new\n@@ -1,100000 +1,100000 @@\n")
        assert time.process_time() - began < 30  # minutes without the limit


class TestNames:
    def test_the_first_free_number_is_offered(self) -> None:
        assert free_name("Brief", {"Brief", "Brief 2"}) == "Brief 3"
        assert free_name("Brief 2", {"Brief", "Brief 2"}) == "Brief 3"

    def test_a_long_name_stays_within_the_limit(self) -> None:
        assert len(free_name("x" * 100, {"x" * 100})) <= 100

    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("Daily brief", "daily-brief"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本", "workflow"),
            ("", "workflow"),
        ],
    )
    def test_a_file_is_named_safely(self, name: str, stem: str) -> None:
        assert file_stem(name) == stem

    @given(st.text(max_size=120))
    def test_a_download_header_is_always_one_plain_line(self, name: str) -> None:
        header = attachment(name.encode("utf-8", "replace").decode(), ".yaml")

        assert header.isascii()
        assert header.isprintable()
        assert header.count('"') == 2
        assert re.search(r'filename="[a-z0-9-]+\.yaml"', header)
        assert "/" not in header
