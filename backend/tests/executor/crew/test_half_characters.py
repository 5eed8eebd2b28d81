"""Half a character in what a model or a tool says harms neither the next call nor the record."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed
from tests.executor.crew.kit import Stage, agent, chain, task, workflow
from tests.support.scripted_provider import CallTools, Say

pytestmark = pytest.mark.crew
HALF = "a draft \ud800 with half a character"
MENDED = "a draft \ufffd with half a character"


Sound = Callable[[Any], Any]


@pytest.fixture
def sound(engine: CrewExecutor) -> Sound:
    """The engine is imported by loading it, with its warnings silenced."""
    from crewai_runner.executor.crew.llm.surrogates import strip_surrogates

    return strip_surrogates


class Call(BaseModel):
    name: str
    arguments: str
    number: int = 1


@pytest.mark.parametrize("streams", [False, True])
async def test_an_answer_with_half_a_character_goes_on_to_the_next_call(stage: Stage, streams: bool) -> None:
    stage.provider.then(Say(HALF), Say("a text"))

    heard = await stage.play(chain(), stream_tokens=streams)

    assert isinstance(heard.outcome, Completed), heard.outcome
    assert heard.outcome.result.tasks["draft"].raw == MENDED
    assert MENDED in stage.provider.requests[1].text


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"expression": "1 + \ud800"}, id="escaped"),
        pytest.param('{"expression": "1 + \ud800"}', id="bare"),
    ],
)
async def test_a_tool_asked_with_half_a_character_answers_and_the_agent_goes_on(
    stage: Stage, arguments: Any
) -> None:
    stage.provider.then(CallTools([("calculator", arguments)]), Say("a text"))
    crew = workflow([agent("writer", tools=["calculator"])], [task("draft")])

    heard = await stage.play(crew)

    assert isinstance(heard.outcome, Completed), heard.outcome
    assert len(stage.provider.requests) == 2


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        (HALF, MENDED),
        ([HALF, 1], [MENDED, 1]),
        ((HALF,), (MENDED,)),
        ({"content": [{"text": HALF}]}, {"content": [{"text": MENDED}]}),
        (Call(name="t", arguments=HALF), Call(name="t", arguments=MENDED)),
        ([Call(name="t", arguments=HALF)], [Call(name="t", arguments=MENDED)]),
    ],
)
def test_texts_are_mended_wherever_they_stand(sound: Sound, value: Any, mended: Any) -> None:
    assert sound(value) == mended


@pytest.mark.parametrize(
    "value",
    ["text", ["text", {"a": (1, None)}], Call(name="t", arguments="{}"), SimpleNamespace(a=HALF), None],
)
def test_what_is_sound_is_the_same_object(sound: Sound, value: Any) -> None:
    assert sound(value) is value
