"""Hostile documents: parsing never raises, has no side effects, and enforces its limits while reading."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow_yaml.document import parse, parse_value
from crewai_runner.domain.workflow_yaml.reader import MAX_BYTES
from tests.domain.workflow_yaml.documents import LIST_FORMAT, MAPPING_FORMAT, MINIMAL
from tests.domain.workflow_yaml.findings import ERRORS
from tests.support.machine_speed import cpu_limit

PROBE = Path(__file__).parent / "probe.py"
ALIAS_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)  # fmt: skip
MERGE_BOMB = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(200)) + "}\n" + "".join(
    f"m{n}: {{<<: [{', '.join(['*a'] * 50)}]}}\n" for n in range(19)
)  # fmt: skip
_ALL = f"[{', '.join(f't{n}' for n in range(199))}]"
# Every task builds on every other one.
WEB = "agents: {a: {role: r, goal: g, backstory: b}}\ntasks:\n" + "".join(
    f"  t{n}: {{description: d, expected_output: e, agent: a, context: {_ALL}}}\n" for n in range(200)
)
HEAVY = {
    "too-many-values": [ALIAS_BOMB, "- 1\n" * 200_000, "a: [" + "1," * 400_000 + "]"],
    "too-many-aliases": ["a: &a x\n" + "b: [" + "*a, " * 2_000 + "]"],
    "too-deep": ["[" * 500_000, "{a: " * 100_000, "- " * 200_000, "? " * 200_000, "a: {b: [" * 60_000],
    "too-large": ["a" * (MAX_BYTES + 1), "ä" * (MAX_BYTES // 2 + 1)],
}  # fmt: skip


_WORDS = [
    *("agents", "tasks", "name", "role", "llm", "a", "topic", "output_json", "properties", "$ref", "inputs"),
    *("context", "true", "1", ".inf", "~"),
]
_SIGNS = [
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|",
    ">",
    "#",
    "\t",
    "\\",
    ":",
    ": ",
    "- ",
    ", ",
    "? ",
    "&x ",
    "*x",
    "<<: ",
]
_LINES = [
    "\n",
    "\r\n",
    "\n  ",
    "\n    ",
    "---",
    "...",
    "%YAML 1.1",
    "!!str ",
    "!!python/name:os.system ",
    "{topic}",
]
FRAGMENTS = st.sampled_from([*_WORDS, *_SIGNS, *_LINES])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FRAGMENTS, inner, max_size=5),
    max_leaves=30,
)


class TestLimits:
    @pytest.mark.parametrize(
        ("code", "text"), [(code, text) for code, texts in HEAVY.items() for text in texts]
    )
    def test_bomb_is_rejected(self, code: str, text: str) -> None:
        with cpu_limit(800):  # an expanded bomb would take hours
            parsed = parse(text)

        assert parsed.definition is None
        assert code in {problem.code for problem in parsed.problems}

    @pytest.mark.parametrize(
        "text",
        [
            MERGE_BOMB,
            "".join(f"k{n}: 1\n" for n in range(20_000)),
            '"' + "a\n" * 400_000,
            "a: " * 300_000,
            "&a " * 300_000,
            "!a " * 300_000,
            "a: |\n" + " x\n" * 300_000,
            " " * 1_000_000,
            "\n" * 1_000_000,
            "#" * 1_000_000,
            "x" * 1_000_000 + ": 1",
            "a: " + "9" * 1_000_000,
            "%TAG ! tag:x,2000:\n" * 30_000,
            "agents: {" + ", ".join(f"a{n}: {{role: 1}}" for n in range(3000)) + "}",
            "\x00" * 1_000_000,
            "a: \ud800" * 100_000,
            WEB,
        ],
        ids=range(17),
    )
    def test_heavy_document_gets_a_result(self, text: str) -> None:
        with cpu_limit(1600):
            assert not parse(text).valid

    def test_speed_of_a_thousand_lines(self) -> None:
        agents = "".join(
            f"  a{n}:\n    role: r\n    goal: |\n      find\n      more\n    backstory: b\n    llm: m\n"
            for n in range(60)
        )
        tasks = "".join(
            f"  t{n}:\n    description: >\n      do it\n    expected_output: o\n    agent: a{n % 60}\n"
            for n in range(120)
        )
        text = f"name: n\nagents:\n{agents}tasks:\n{tasks}"
        assert text.count("\n") > 1000
        with cpu_limit(5 * 80):  # of which they take about 25, in a process with much garbage to collect more
            for _ in range(5):
                assert parse(text).valid


class TestAnyInput:
    @given(st.text() | st.lists(FRAGMENTS, max_size=60).map("".join))
    @example("? [a]: b")
    @example("<<: [*x]")
    @example("agents: &x {a: *x}")
    @settings(max_examples=300, deadline=None)
    def test_text(self, text: str) -> None:
        parsed = parse(text)

        assert parsed.valid is (parsed.definition is not None) is (not parsed.problems)
        lines = text.count("\n") + text.count("\r") + 1
        assert all(
            1 <= found.line <= lines and found.column >= 1 for found in [*parsed.problems, *parsed.warnings]
        )

    @given(st.sampled_from([MAPPING_FORMAT, LIST_FORMAT]), st.data())
    @settings(max_examples=100, deadline=None)
    def test_damaged_document(self, document: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(document)))
        end = data.draw(st.integers(start, min(len(document), start + 40)))
        patch = data.draw(FRAGMENTS | st.just(""))

        parsed = parse(document[:start] + patch + document[end:])

        assert parsed.valid is (parsed.definition is not None)

    @given(VALUES | st.dictionaries(st.sampled_from(["agents", "tasks", "inputs", "crew", "budget"]), VALUES))
    @settings(max_examples=150, deadline=None)
    def test_value(self, value: object) -> None:
        parsed = parse_value(value)

        assert parsed.valid is (parsed.definition is not None)

    def test_minimal_document_is_valid(self) -> None:
        assert parse(MINIMAL).valid


class TestSideEffects:
    def test_hostile_documents_have_none(self) -> None:
        ran = subprocess.run(
            [sys.executable, str(PROBE)], capture_output=True, text=True, timeout=100, check=False
        )

        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.split() == ["quiet", str(len(ERRORS))]

    def test_probe_detects_them(self) -> None:
        ran = subprocess.run(
            [sys.executable, str(PROBE), "misbehave"],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

        assert ran.returncode == 1
        # Newer Pythons report more steps of starting a process.
        assert set(ran.stdout.split()[1:]) >= {
            "import",
            "open",
            "socket.__new__",
            "subprocess.Popen",
            "compile",
            "exec",
        }
