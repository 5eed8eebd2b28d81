"""Values read from Python source: what a few lines may cost is bounded."""

import ast
import itertools

import pytest

from crewai_runner.domain.workflow_yaml import python_data
from crewai_runner.domain.workflow_yaml.python_data import (
    MAX_NODES,
    NotData,
    evaluate,
    list_assignments,
    list_classes,
    parse_source,
)

DOUBLING = "\n".join(["a0 = 1", *(f"a{n} = [a{n - 1}, a{n - 1}]" for n in range(1, 15))])
SELF_REFERENCES = ["a = a", "a = b\nb = a", "a = [a]", "\n".join(f"a{n} = [a{n + 1}]" for n in range(900))]


def read(source: str, name: str, function: object = evaluate) -> object:
    """Evaluate a name after the assignments of the source."""
    expression = ast.parse(name, mode="eval").body
    return function(expression, list_assignments(parse_source(source).body))  # type: ignore[operator]


@pytest.mark.parametrize("function", [evaluate, list_classes])
class TestLimits:
    def test_names_that_double(self, function: object, monkeypatch: pytest.MonkeyPatch) -> None:
        counted = itertools.count()
        nested = python_data._Evaluator._nested
        monkeypatch.setattr(python_data._Evaluator, "_nested", lambda self: (next(counted), nested(self))[1])
        source = DOUBLING.replace("= 1", "= Search()") if function is list_classes else DOUBLING

        with pytest.raises(NotData):
            read(source, "a14", function)

        assert next(counted) == MAX_NODES + 1

    @pytest.mark.parametrize("source", SELF_REFERENCES)
    def test_names_that_refer_to_themselves(self, function: object, source: str) -> None:
        with pytest.raises(NotData):
            read(source, "a0" if "a0" in source else "a", function)


def test_usual_values() -> None:
    source = (
        "model = LLM(model='gpt', temperature=0)\ntools = [Search(), 'wait']\nlevels = [[-1, {'a': (1,)}]]"
    )

    assert read(source, "model") == {"model": "gpt", "temperature": 0}
    assert read(source, "levels") == [[-1, {"a": [1]}]]
    assert read(source, "tools", list_classes) == ["Search", "wait"]
