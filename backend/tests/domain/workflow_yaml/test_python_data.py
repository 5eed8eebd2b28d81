"""Values read from Python source: what a few lines may cost is bounded."""

import ast

import pytest

from crewai_runner.domain.workflow_yaml.python_project import scopes
from crewai_runner.domain.workflow_yaml.python_project.containers import list_items
from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, read_module
from crewai_runner.domain.workflow_yaml.python_project.values import Evaluator

DOUBLING = "\n".join(["a0 = 1", *(f"a{n} = [a{n - 1}, a{n - 1}]" for n in range(1, 40))])
SELF_REFERENCES = [
    "a = a",
    "a = b\nb = a",
    "a = [*a]",
    "def f():\n  return f()\na = f()",
]


def evaluate(source: str, name: str) -> tuple[object, list[str]]:
    """Return the value of an expression after the statements of the source, and the notes on it."""
    module = read_module("m.py", source)
    project = PythonProject([module])
    evaluator = Evaluator(project, lambda _key, _scope: None)
    expression = ast.parse("\n" * 2000 + name).body[0]
    assert isinstance(expression, ast.Expr)
    value = evaluator.evaluate(expression.value, Scope(module))
    return value, [note.reason for note in evaluator.notes]


class TestLimits:
    def test_names_that_double(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scopes, "MAX_STEPS", 1000)

        with pytest.raises(NotData):
            evaluate(DOUBLING, "a39")

    def test_names_that_are_nested_deeply(self) -> None:
        with pytest.raises(NotData):
            evaluate("\n".join(f"a{n} = [a{n + 1}]" for n in range(900)), "a0")

    @pytest.mark.parametrize("source", SELF_REFERENCES)
    def test_names_that_refer_to_themselves(self, source: str) -> None:
        module = read_module("m.py", source)

        with pytest.raises(NotData):
            evaluate(source, "a")
        with pytest.raises(NotData):
            list_items(ast.parse("a", mode="eval").body, Scope(module), PythonProject([module]))


@pytest.mark.parametrize(
    ("source", "expression", "value"),
    [
        ("m = LLM(model='gpt', temperature=0)", "m", {"model": "gpt", "temperature": 0}),
        ("m = LLM('gpt')", "m", {"model": "gpt"}),
        ("", "[[-1, {'a': (1,)}]]", [[-1, {"a": [1]}]]),
        ("from textwrap import dedent", "dedent('  a\\n  b')", "a\nb"),
        ("x = 'tea'", "f'About {x} in {{}}' + '!'", "About tea in {}!"),
        ("def pick(kind='a'):\n  return kind + 'b'", "pick('c')", "cb"),
        ("items = []\nitems.append(1)\nitems.append(2)", "items", [1, 2]),
        ("a, b = (1, 2)", "b", 2),
        ("", "Process.hierarchical", "hierarchical"),
        ("class A:\n  size = 3\na = A()", "a.size", 3),
    ],
)
def test_usual_values(source: str, expression: str, value: object) -> None:
    found, notes = evaluate(source, expression)

    assert (found, notes) == (value, [])


@pytest.mark.parametrize(
    ("source", "expression", "value"),
    [
        ("topic = input()", "f'About {topic}'", "About {topic}"),
        ("", "os.getenv('MODEL', 'gpt')", "gpt"),
        ("if x:\n  a = 1\nelse:\n  a = 2", "a", 2),
    ],
)
def test_values_in_another_form_are_noted(source: str, expression: str, value: object) -> None:
    found, notes = evaluate(source, expression)

    assert (found, len(notes)) == (value, 1)


@pytest.mark.parametrize(
    "expression", ["open('x').read()", "a if b else c", "unknown", "[x for x in y]", "1 / 0"]
)
def test_what_only_running_shows_is_not_data(expression: str) -> None:
    with pytest.raises(NotData):
        evaluate("", expression)
