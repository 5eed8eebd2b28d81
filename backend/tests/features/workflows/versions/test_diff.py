"""Differences between two versions."""

import random
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.features.workflows.versions import diff as diff_module
from crewai_runner.features.workflows.versions.diff import diff_definitions, unified_diff


def apply_patch(text: str, diff: str, folder: Path) -> str:
    """The text after `patch` applied the diff."""
    target = folder / "text"
    target.write_bytes(text.encode())
    command = ["patch", "--binary", "--quiet", str(target)]
    subprocess.run(command, input=diff.encode(), check=True, cwd=folder)
    return target.read_bytes().decode()


class TestDiffDefinitions:
    def test_matches_agents_and_tasks_by_key(self) -> None:
        before = {"agents": [{"key": "a", "goal": "x"}, {"key": "b", "goal": "y"}], "tasks": []}
        after = {"agents": [{"key": "b", "goal": "z"}, {"key": "c", "goal": "w"}], "tasks": []}

        found = diff_definitions(before, after)

        assert [(one.path, one.kind) for one in found] == [
            ("agents.a", "removed"),
            ("agents.b.goal", "changed"),
            ("agents.c", "added"),
        ]

    def test_reports_a_changed_order(self) -> None:
        before = {"tasks": [{"key": "a"}, {"key": "b"}]}

        found = diff_definitions(before, {"tasks": before["tasks"][::-1]})

        assert [tuple(one) for one in found] == [("tasks", "moved", ["a", "b"], ["b", "a"])]

    def test_equal_definitions(self) -> None:
        definition: dict[str, Any] = {"name": "x", "agents": [{"key": "a", "knowledge": ["t"]}]}

        assert diff_definitions(definition, definition) == []

    def test_reports_a_value_that_was_null_as_added(self) -> None:
        assert [tuple(one) for one in diff_definitions({"budget": None}, {"budget": {"max_tokens": 5}})] == [
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
    def test_patch_applies_the_diff(self, before: str, after: str, tmp_path: Path) -> None:
        assert apply_patch(before, unified_diff(before, after, "old", "new"), tmp_path) == after

    @pytest.mark.parametrize("ends", [0, 1, 50])
    def test_long_texts_give_one_hunk(
        self, ends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(diff_module, "MAX_LINE_PAIRS", 10)
        same = [f"same {n}\n" for n in range(ends)]
        before = "".join([*same, *(f"old {n}\n" for n in range(9)), *same])
        after = "".join([*same, *(f"new {n}\n" for n in range(7)), *same])

        diff = unified_diff(before, after, "old", "new")

        assert len(re.findall("^@@", diff, re.MULTILINE)) == 1
        assert apply_patch(before, diff, tmp_path) == after


class TestUnifiedDiffOfAnyText:
    def test_equal_texts(self) -> None:
        assert unified_diff("a\n", "a\n", "old", "new") == ""

    def test_largest_documents_within_the_time_limit(self) -> None:
        lines = [f"{n}\n" for n in range(100_000)]
        before = "".join(lines)
        random.Random(7).shuffle(lines)

        start = time.process_time()
        diff = unified_diff(before, "".join(lines), "old", "new")

        assert diff.startswith("--- old\n+++ new\n@@ -1,100000 +1,100000 @@\n")
        assert time.process_time() - start < 30  # minutes without the limit
