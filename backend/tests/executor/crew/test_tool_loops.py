"""Tool calls that a model gets wrong, or repeats for ever."""

import pytest

from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.harness import EngineHarness, agent, workflow
from tests.support.scripted_provider import CallTools, Say

pytestmark = pytest.mark.crew

CALL = CallTools([("calculator", {"expression": "6*7"})])


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "result"),
        [
            ('```json\n{"expression": "6*7"}\n```', "42"),
            ('"{\\"expression\\": \\"6*7\\"}"', "42"),
            ("", "'expression' is a required property"),
            ("null", "'expression' is a required property"),
            ('["oops"]', "must be a JSON object"),
            ('"6*7"', "JSON"),
            ("42", "must be a JSON object"),
            ('{"expression": 42}', "not of type 'string'"),
            ('{"expression": "6*7"}{"expression": "1+1"}', "JSON"),
        ],
    )
    async def test_run_the_tool_or_are_explained_to_the_model(
        self, harness: EngineHarness, arguments: str, result: str
    ) -> None:
        harness.provider.then(CallTools([("calculator", arguments)]), Say("done"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]))

        assert isinstance(recorder.outcome, Completed)
        assert result in harness.provider.requests[1].last_message


class TestMaxIterations:
    async def test_final_answer_comes_with_a_warning(self, harness: EngineHarness) -> None:
        harness.provider.on(CALL, when=lambda sent: bool(sent.payload.get("tools")))
        harness.provider.on(Say("forced"))

        recorder = await harness.run(workflow([agent(tools=["calculator"], max_iter=2)]))

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "forced"
        warning = recorder.one("warning.raised").data
        assert warning.code == "max-iterations"
        assert "max_iter" in warning.message

    async def test_tools_to_the_end_fail(self, harness: EngineHarness) -> None:
        harness.provider.on(CALL)

        recorder = await harness.run(workflow([agent(tools=["calculator"], max_iter=2)]))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "max-iterations"
        assert "max_iter" in recorder.outcome.failure.message


class TestToolsThatWereNotOffered:
    async def test_model_is_asked_again(self, harness: EngineHarness) -> None:
        harness.provider.then(CALL, Say("done"))

        recorder = await harness.run(workflow())

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "done"
        assert "a tool that was not offered" in harness.provider.requests[1].last_message

    async def test_text_next_to_the_call_is_the_answer(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools(CALL.calls, text="It is 42."))

        recorder = await harness.run(workflow())

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "It is 42."

    async def test_nothing_but_calls_fails(self, harness: EngineHarness) -> None:
        harness.provider.on(CALL)

        recorder = await harness.run(workflow())

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-empty"
        assert "tools that were not offered" in recorder.outcome.failure.message
        assert len(harness.provider.requests) == 3
