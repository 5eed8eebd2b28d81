"""Problems and warnings of documents: code, position, path, suggestion."""

import ast
from pathlib import Path

import pytest

from crewai_runner.domain import field_types, workflow_yaml
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.messages import MESSAGES
from crewai_runner.domain.workflow_yaml.problems import MAX_PROBLEMS, Severity
from tests.domain.workflow_yaml.documents import AGENTS, MINIMAL, TASKS, marked
from tests.domain.workflow_yaml.findings import ERRORS, WARNINGS

REGISTRY = Registry(
    models=frozenset({"gpt-4o", "m"}),
    embedders=frozenset({"minilm"}),
    tools=frozenset({"web_search", "x"} | {f"t{n}" for n in range(51)}),
    mcp_servers=frozenset({"files"}),
)
CODES_WITHOUT_ROW = {
    "too-large", "too-many-aliases", "too-many-values", "too-many-problems", "not-a-document",
    # in test_traps.py
    "cut-by-comment", "line-break", "unfilled-placeholder", "duplicate-file",
}  # fmt: skip


def _ids(table: list[tuple[str, str, str]]) -> list[str]:
    return [f"{code}: {what}" for code, what, _ in table]


def _codes() -> set[str]:
    """Every code of the package: the second argument of reports, and the tables of error messages."""
    found: set[object] = {"wrong-type", *(code for code, _ in MESSAGES.values())}
    for path in [*Path(workflow_yaml.__file__).parent.glob("*.py"), Path(field_types.__file__)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rsplit(".", 1)[-1]
            if name in {"error", "warn", "_error", "_stop"} and len(node.args) > 1:
                found |= {constant.value for constant in _constants(node.args[1])}
            if name in {"value_error", "PydanticCustomError"}:
                found |= {constant.value for constant in _constants(node.args[0])}
    return {code for code in found if isinstance(code, str) and "-" in code and " " not in code}


def _constants(node: ast.expr) -> list[ast.Constant]:
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return [part for part in parts if isinstance(part, ast.Constant)]


class TestFindings:
    @pytest.mark.parametrize(("code", "what", "document"), ERRORS, ids=_ids(ERRORS))
    def test_error_location(self, code: str, what: str, document: str) -> None:
        text, line, column = marked(document)

        parsed = parse(text, REGISTRY)

        assert not parsed.valid
        assert parsed.definition is None
        assert (line, column, code) in [(p.line, p.column, p.code) for p in parsed.problems]
        assert {p.severity for p in parsed.problems} == {Severity.ERROR}
        assert {p.code for p in parsed.problems} == {code}, "one error causes one kind of problem"

    @pytest.mark.parametrize(("code", "what", "document"), WARNINGS, ids=_ids(WARNINGS))
    def test_warning_location(self, code: str, what: str, document: str) -> None:
        text, line, column = marked(document)

        parsed = parse(text, REGISTRY)

        assert parsed.problems == []
        assert parsed.definition is not None
        assert [(w.line, w.column, w.code, w.severity) for w in parsed.warnings] == [
            (line, column, code, Severity.WARNING)
        ]

    def test_every_code_has_a_row(self) -> None:
        rows = {code for code, _, _ in [*ERRORS, *WARNINGS]} | CODES_WITHOUT_ROW

        assert {code for code in _codes() if code not in rows} == set()

    @pytest.mark.parametrize(
        ("document", "path"),
        [
            ("agents: {a: {rle: x}}", "agents.a.rle"),
            ("agents: [{name: a, rle: x}]", "agents.a.rle"),
            ("agents: [{rle: x}]", "agents[0].rle"),
            ("agents: [{a: {rle: x}}]", "agents.a.rle"),
            ("crew: {proces: x}", "proces"),
            (
                "tasks: {t: {outputJson: {properties: {n: {type: x}}}}}",
                "tasks.t.outputJson.properties.n.type",
            ),
            ("tasks: {t: {context: [a, b]}}", "tasks.t.context[1]"),
            ("inputs: {x: {typ: 1}}", "inputs.x.typ"),
            ("agents: {a: {x: 1, x: 2}}", "agents.a.x"),
            ("agents: {a: {tools: [!x y]}}", "agents.a.tools[0]"),
        ],
    )  # fmt: skip
    def test_path(self, document: str, path: str) -> None:
        assert path in {problem.path for problem in parse(document).problems}

    @pytest.mark.parametrize(
        ("document", "suggestion"),
        [
            (MINIMAL + "proces: sequential\n", "process"),
            (MINIMAL.replace("backstory", "backStroy"), "backstory"),
            (MINIMAL.replace("expected_output", "expectedoutput"), "expected_output"),
            (MINIMAL + "process: sequental\n", "sequential"),
            (MINIMAL.replace("agent: a", "agent: A"), "a"),
        ],
    )
    def test_suggestion_is_the_nearest_name(self, document: str, suggestion: str) -> None:
        found = [problem for problem in parse(document).problems if problem.suggestion]

        assert suggestion in {problem.suggestion for problem in found}
        assert all(f"`{problem.suggestion}`" in problem.message for problem in found)


class TestProblems:
    def test_all_are_reported_in_the_order_of_the_text(self) -> None:
        text = (
            "proces: x\n"
            "inputs: {topic: cats}\n"
            "agents:\n"
            "  a: {role: '{topc}', goal: 1, backstory: b, tools: [nothing, 'os:system']}\n"
            "  b: {role: r, goal: g, backstory: b, tools: [nothing]}\n"
            "tasks:\n"
            "  t: {agent: c, context: [u]}\n"
        )

        found = parse(text, REGISTRY).problems

        assert [(p.line, p.code) for p in found] == [
            (1, "unknown-key"),
            (4, "undeclared-input"),
            (4, "wrong-type"),
            (4, "unsafe-key"),
            (5, "unknown-tool"),
            (7, "missing-field"),
            (7, "missing-field"),
            (7, "unknown-agent"),
            (7, "unknown-context"),
        ]
        assert found == sorted(found, key=lambda p: (p.line, p.column))

    def test_excess_problems_are_omitted_and_counted(self) -> None:
        text = "".join(f"k{n}: 1\n" for n in range(MAX_PROBLEMS + 10)) + AGENTS + TASKS

        found = parse(text).problems

        assert len(found) == MAX_PROBLEMS + 1
        assert found[-1].code == "too-many-problems"
        assert found[-1].message.startswith("1")


class TestRegistry:
    def test_unknown_registry_is_not_checked(self) -> None:
        text = MINIMAL.replace("backstory: b", "backstory: b, tools: [x], llm: z")

        parsed = parse(text, Registry())

        assert (parsed.problems, parsed.warnings) == ([], [])

    def test_mcp_server_must_be_registered(self) -> None:
        text = MINIMAL.replace("backstory: b", "backstory: b, mcps: [files]")

        assert [p.code for p in parse(text).problems] == ["unknown-mcp-server"]
        assert parse(text, REGISTRY).valid
