"""Inputs of a run."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow import InputDefinition, InputType, WorkflowDefinition
from crewai_runner.domain.workflow_yaml.run_inputs import (
    MAX_RUN_INPUTS,
    MAX_TEXT_LENGTH,
    MAX_TOTAL_LENGTH,
    input_problems,
)
from tests.domain.workflow_yaml.documents import MINIMAL, definition_of


def workflow_with(*inputs: InputDefinition) -> WorkflowDefinition:
    return definition_of(MINIMAL).model_copy(update={"inputs": list(inputs)})


def workflow_with_input(kind: InputType = InputType.STRING, **more: object) -> WorkflowDefinition:
    return workflow_with(InputDefinition(name="x", type=kind, **more))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class TestFilledTexts:
    def test_length_with_the_inputs_in_place_is_bounded(self) -> None:
        definition = workflow_with_input()
        texts = definition.model_copy(
            update={"tasks": [definition.tasks[0].model_copy(update={"description": "{x}" * 6_000})]}
        )

        _, found = input_problems(texts, {"x": "y" * 10_000})

        assert [problem.detail[:70] for problem in found] == [
            "With the inputs in place, the workflow's texts have more than 4,000,00"
        ]
        assert input_problems(texts, {"x": "y" * 100})[1] == []


class TestInputProblems:
    def test_defaults(self) -> None:
        definition = workflow_with(
            InputDefinition(name="topic", default="cats", required=False),
            InputDefinition(name="count", type=InputType.INTEGER, default=3, required=False),
            InputDefinition(name="note", required=False),
        )

        assert input_problems(definition, {"count": 5}) == ({"topic": "cats", "count": 5, "note": ""}, [])

    def test_reports_every_problem(self) -> None:
        definition = workflow_with(
            InputDefinition(name="topic"),
            InputDefinition(name="count", type=InputType.INTEGER),
            InputDefinition(name="tone", enum=["dry", "warm"]),
        )

        _, found = input_problems(definition, {"count": "5", "tone": "loud", "topc": "x"})

        assert [(p.pointer, p.detail) for p in found] == [
            ("/topc", "`topc` is not an input of this workflow. Did you mean `topic`?"),
            ("/topic", "`topic` is required."),
            ("/count", "`count` must be a whole number."),
            ("/tone", "`tone` must be one of dry, warm."),
        ]

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (InputType.STRING, 5),
            (InputType.STRING, True),
            (InputType.TEXT, ["a"]),
            (InputType.INTEGER, "5"),
            (InputType.INTEGER, 5.0),
            (InputType.INTEGER, True),
            (InputType.INTEGER, 2**70),
            (InputType.NUMBER, "5"),
            (InputType.NUMBER, False),
            (InputType.NUMBER, float("nan")),
            (InputType.NUMBER, float("inf")),
            (InputType.BOOLEAN, 1),
            (InputType.BOOLEAN, "true"),
            (InputType.STRING, "\x00"),
            (InputType.STRING, "  "),
            (InputType.TEXT, "x" * (MAX_TEXT_LENGTH + 1)),
            (InputType.STRING, {"a": 1}),
        ],
    )
    def test_values_are_not_converted(self, kind: InputType, value: object) -> None:
        values, found = input_problems(workflow_with_input(kind), {"x": value})

        assert values == {}
        assert [p.pointer for p in found] == ["/x"]

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (InputType.STRING, "a"),
            (InputType.TEXT, "a\nb"),
            (InputType.INTEGER, -5),
            (InputType.NUMBER, 5),
            (InputType.NUMBER, 0.5),
            (InputType.BOOLEAN, False),
        ],
    )
    def test_valid_values_are_unchanged(self, kind: InputType, value: object) -> None:
        values, found = input_problems(workflow_with_input(kind), {"x": value})

        assert found == []
        assert values == {"x": value}
        assert type(values["x"]) is type(value)

    def test_optional_input_may_be_empty(self) -> None:
        assert input_problems(workflow_with_input(required=False), {"x": ""}) == ({"x": ""}, [])

    def test_pointers_are_escaped(self) -> None:
        _, found = input_problems(workflow_with(), {"a/b~c": math.inf})

        assert found[0].pointer == "/a~1b~0c"

    @given(
        st.dictionaries(st.sampled_from(["x", "y"]) | st.text(), JSON, max_size=4), st.sampled_from(InputType)
    )
    @settings(deadline=None)
    def test_any_value_gives_a_result(self, given_inputs: dict[str, object], kind: InputType) -> None:
        values, found = input_problems(workflow_with_input(kind, required=False), given_inputs)

        assert found or set(values) == {"x", *given_inputs}


class TestInputsOfCrewAi:
    def test_undeclared_input_takes_any_value(self) -> None:
        given = {"x": [25, {"a": None}], "y": {"name": "Ann"}, "z": True, "unused": 2.5}
        definition = workflow_with(*(InputDefinition(name=name, type=InputType.ANY) for name in "xyz"))

        assert input_problems(definition, given) == (given, [])

    def test_misspelled_input_is_a_problem(self) -> None:
        _, found = input_problems(
            workflow_with(InputDefinition(name="topic", required=False)), {"tpoic": "x"}
        )

        assert "`topic`" in found[0].detail


class TestLimits:
    def test_total_length(self) -> None:
        many = [InputDefinition(name=f"x{n}") for n in range(6)]

        _, found = input_problems(workflow_with(*many), {f"x{n}": "x" * MAX_TEXT_LENGTH for n in range(6)})

        assert [p.pointer for p in found] == [""]
        assert f"{MAX_TOTAL_LENGTH:,}" in found[0].detail

    def test_number_of_inputs(self) -> None:
        _, found = input_problems(workflow_with(), {f"x{n}": 1 for n in range(MAX_RUN_INPUTS + 1)})

        assert [p.pointer for p in found] == [""]
