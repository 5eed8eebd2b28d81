"""Keeps retired words out of names and texts: each had a standard term to be used instead."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

BACKEND = Path(__file__).parents[2]
FOLDERS = ("crewai_runner", "tests", "benchmarks")
THIS_FILE = Path(__file__)
SAMPLE_PROJECTS = BACKEND / "tests" / "projects"
"""The folders in it hold projects of users, whose names are not ours."""

RETIRED_NAMES = {
    "anew": "again",
    "bell": "notifier, notification",
    "chore": "periodic task",
    "chores": "periodic tasks",
    "crowd": "load test",
    "desk": "transaction, harness",
    "doomed": "deletion filter",
    "equip": "attach resources",
    "forgive": "mark recovered",
    "hear": "on_event, receive",
    "heard": "received, recorded",
    "intake": "import, upload",
    "mend": "fix",
    "mended": "fixed",
    "news": "notification",
    "nobody": "anonymous, without scopes",
    "outdo": "mark retried",
    "patience": "timeout",
    "patiently": "with retry",
    "peek": "get",
    "persistently": "with retry",
    "quieten": "mute",
    "rein": "supervise",
    "reins": "supervisor",
    "salvage": "lenient import",
    "scene": "run context",
    "somebody": "name the caller",
    "stories": "batches, event logs",
    "story": "event log, emitter",
    "tell": "emit",
    "telling": "emitting",
    "told": "emitted, event types",
    "uninterrupted": "shielded",
    "veil": "redact",
    "veiled": "redacted",
    "whisper": "publish_ephemeral",
    "whom": "name the recipient",
}
RETIRED_PHRASES = re.compile(
    r"\b(anew|at hand|brought|is no more|mends?|mended|nobody|once more|so many|somebody|the house|whom)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def sources() -> list[Path]:
    return [
        path
        for folder in FOLDERS
        for path in sorted((BACKEND / folder).rglob("*.py"))
        if "migrations" not in path.parts and path != THIS_FILE and SAMPLE_PROJECTS not in path.parent.parents
    ]


def list_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(name, line) of every definition, parameter and assignment."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno


def find_retired_names(text: str, stem: str = "") -> list[str]:
    names = [(stem, 1), *list_names(ast.parse(text))]
    return [
        f"line {line}: {name}; instead of {word!r} use: {RETIRED_NAMES[word]}"
        for name, line in names
        for word in map(str.lower, _WORD.findall(name))
        if word in RETIRED_NAMES
    ]


def find_retired_phrases(text: str) -> list[str]:
    lines = enumerate(text.splitlines(), start=1)
    return [
        f"line {number}: {match.group()}"
        for number, line in lines
        for match in RETIRED_PHRASES.finditer(line)
    ]


def test_names_contain_no_retired_words() -> None:
    found = {
        str(path.relative_to(BACKEND)): names
        for path in sources()
        if (names := find_retired_names(path.read_text(), path.stem))
    }

    assert found == {}


def test_texts_and_comments_contain_no_retired_phrases() -> None:
    found = {
        str(path.relative_to(BACKEND)): phrases
        for path in sources()
        if path.is_relative_to(BACKEND / "crewai_runner")
        and (phrases := find_retired_phrases(path.read_text()))
    }

    assert found == {}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("class RunStory: ...", "RunStory"),
        ("def take_news(): ...", "take_news"),
        ("self.bell = 1", "bell"),
        ("def f(told): ...", "told"),
    ],
)
def test_a_planted_word_is_found(text: str, finding: str) -> None:
    [message] = find_retired_names(text)

    assert finding in message
