"""Unpaired surrogates in the texts of models and tools."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed
from tests.executor.crew.harness import EngineHarness, agent, sequential_workflow, task, workflow
from tests.support.scripted_provider import CallTools, Say

pytestmark = pytest.mark.crew
BROKEN = "a draft \ud800 with half a character"
REPAIRED = "a draft \ufffd with half a character"
StripSurrogates = Callable[[Any], Any]


@pytest.fixture
def strip(engine: CrewExecutor) -> StripSurrogates:
    """Imported after the engine, whose warnings are ignored then."""
    from crewai_runner.executor.crew.llm.surrogates import strip_surrogates

    return strip_surrogates


class Call(BaseModel):
    name: str
    arguments: str
    number: int = 1


class TestRuns:
    @pytest.mark.parametrize("stream", [False, True])
    async def test_answer_with_a_surrogate_is_used_in_the_next_call(
        self, harness: EngineHarness, stream: bool
    ) -> None:
        harness.provider.then(Say(BROKEN), Say("a text"))

        recorder = await harness.run(sequential_workflow(), stream_tokens=stream)

        assert isinstance(recorder.outcome, Completed), recorder.outcome
        assert recorder.outcome.result.tasks["draft"].raw == REPAIRED
        assert REPAIRED in harness.provider.requests[1].text

    @pytest.mark.parametrize(
        "arguments",
        [
            pytest.param({"expression": "1 + \ud800"}, id="escaped"),
            pytest.param('{"expression": "1 + \ud800"}', id="bare"),
        ],
    )
    async def test_tool_argument_with_a_surrogate(self, harness: EngineHarness, arguments: Any) -> None:
        harness.provider.then(CallTools([("calculator", arguments)]), Say("a text"))
        crew = workflow([agent("writer", tools=["calculator"])], [task("draft")])

        recorder = await harness.run(crew)

        assert isinstance(recorder.outcome, Completed), recorder.outcome
        assert len(harness.provider.requests) == 2


class TestStripSurrogates:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (BROKEN, REPAIRED),
            ([BROKEN, 1], [REPAIRED, 1]),
            ((BROKEN,), (REPAIRED,)),
            ({"content": [{"text": BROKEN}]}, {"content": [{"text": REPAIRED}]}),
            (Call(name="t", arguments=BROKEN), Call(name="t", arguments=REPAIRED)),
            ([Call(name="t", arguments=BROKEN)], [Call(name="t", arguments=REPAIRED)]),
        ],
    )
    def test_replaces_surrogates_in_nested_values(
        self, strip: StripSurrogates, value: Any, expected: Any
    ) -> None:
        assert strip(value) == expected

    @pytest.mark.parametrize(
        "value",
        ["text", ["text", {"a": (1, None)}], Call(name="t", arguments="{}"), SimpleNamespace(a=BROKEN), None],
    )
    def test_unchanged_value_is_the_same_object(self, strip: StripSurrogates, value: Any) -> None:
        assert strip(value) is value
