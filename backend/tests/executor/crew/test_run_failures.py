import pytest

from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.workflow import ToolFailurePolicy
from crewai_runner.executor.port import Completed, Failed
from tests.domain.test_schema_expansion import doubling
from tests.executor.crew.failure_cases import classify
from tests.executor.crew.harness import EngineHarness, agent, sequential_workflow, task, workflow
from tests.support.scripted_provider import CallTools, Drop, Empty, Fail, Garbage, Hang, Reply, Say

pytestmark = pytest.mark.crew


class TestProviderFailures:
    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            (Fail(401, "wrong key"), "provider-auth"),
            (Fail(429, "slow down"), "provider-rate-limit"),
            (Fail(500, "broken"), "provider-error"),
            (Fail(404, "no such model"), "model-not-found"),
            (Fail(400, "bad field"), "provider-bad-request"),
            (Garbage(), "provider-garbage"),
            (Empty(), "provider-empty"),
            (Drop(), "provider-interrupted"),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    async def test_fail_the_run_after_one_request(
        self, harness: EngineHarness, reply: Reply, code: str, stream: bool
    ) -> None:
        harness.provider.on(reply)

        recorder = await harness.run(sequential_workflow(), stream_tokens=stream)

        assert isinstance(recorder.outcome, Failed)
        failure = recorder.outcome.failure
        assert failure.code == code
        assert (failure.provider, failure.task_key, failure.agent) == ("Scripted", "draft", "writer")
        assert failure.hint
        assert len(harness.provider.requests) == 1
        assert recorder.one("task.failed").data.error == failure
        assert recorder.one("task.skipped").task_key == "edit"
        assert recorder.types[-1] == "task.skipped"

    async def test_failed_call_is_reported_once(self, harness: EngineHarness) -> None:
        harness.provider.on(Fail(401, "wrong key"))

        recorder = await harness.run()

        failed = recorder.one("llm.failed")
        assert failed.data.error.code == "provider-auth"
        assert failed.data.call == 1

    async def test_slow_call_is_a_timeout(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        impatient_model = harness.model(settings=ModelSettings(timeout_seconds=0.3, max_retries=0))

        recorder = await harness.run(models=[impatient_model])

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-timeout"
        assert len(harness.provider.requests) == 1

    async def test_retries_follow_the_model_settings(self, harness: EngineHarness) -> None:
        harness.provider.on(Fail(500))
        retrying_model = harness.model(settings=ModelSettings(max_retries=2))

        recorder = await harness.run(models=[retrying_model])

        assert isinstance(recorder.outcome, Failed)
        assert len(harness.provider.requests) == 3
        warnings = recorder.all("warning.raised")
        assert [event.data.code for event in warnings] == ["provider-retry", "provider-retry"]


class TestAgentFailures:
    async def test_max_retry_limit(self, harness: EngineHarness) -> None:
        harness.provider.then(Fail(500))

        recorder = await harness.run(workflow([agent(max_retry_limit=1)]))

        assert isinstance(recorder.outcome, Completed)
        assert recorder.types.count("agent.failed") == 1
        assert len(harness.provider.requests) == 2

    async def test_max_execution_time(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())

        recorder = await harness.run(workflow([agent(max_execution_time=1)]))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "agent-timeout"
        await harness.wait_for_disconnects(1)


class TestToolCalls:
    async def test_malformed_arguments_are_returned_to_the_model(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("calculator", '{"expression": ')]), Say("sorry"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]))

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "sorry"

    async def test_failure_is_returned_to_the_model(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("calculator", {"expression": "1/0"})]), Say("never mind"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]))

        assert isinstance(recorder.outcome, Completed)
        failed = recorder.one("tool.failed")
        started = recorder.one("tool.started")
        assert started.data.arguments == {"expression": "1/0"}
        assert failed.data.tool_call_id == started.data.tool_call_id
        assert failed.agent == "writer"

    async def test_failure_ends_the_run_with_policy_raise(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("calculator", {"expression": "1/0"})]))
        definition = workflow([agent(tools=["calculator"], tool_failure_policy=ToolFailurePolicy.RAISE)])

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "tool-failed"
        assert len(harness.provider.requests) == 1

    async def test_completed_event_has_output_and_duration(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("calculator", {"expression": "6*7"})]), Say("42"))

        recorder = await harness.run(workflow(tasks=[task(tools=["calculator"])]))

        completed = recorder.one("tool.completed")
        assert completed.data.output == "42"
        assert completed.data.duration_ms >= 0
        assert recorder.all("llm.completed")[0].data.tool_calls == ["calculator"]
        assert recorder.one("agent.started").data.tools == ["calculator"]

    async def test_parallel_calls_are_distinguished(self, harness: EngineHarness) -> None:
        calls = [("calculator", {"expression": f"{n}+0"}) for n in range(4)]
        harness.provider.then(CallTools(calls), Say("done"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]))

        started = {e.data.tool_call_id: e.data.arguments["expression"] for e in recorder.all("tool.started")}
        outputs = {e.data.tool_call_id: e.data.output for e in recorder.all("tool.completed")}
        assert len(outputs) == 4
        assert {started[key]: output for key, output in outputs.items()} == {
            f"{n}+0": str(n) for n in range(4)
        }


class TestOutputSchema:
    async def test_stored_schema_that_is_too_large_fails_the_run(self, harness: EngineHarness) -> None:
        bomb = workflow([agent("writer")], [task("draft", "writer", output_json=doubling(16))])

        recorder = await harness.run(bomb)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "output-invalid"
        assert "more than 600 values" in recorder.outcome.failure.message


class TestDeepJson:
    DEEP = '{"title": ' + "[" * 5_000 + "]" * 5_000 + "}"

    async def test_answer_does_not_match_the_schema(self, harness: EngineHarness) -> None:
        harness.provider.on(Say(chunks=[f"Here it is: {self.DEEP}"]))
        schema = {"type": "object", "properties": {"title": {"type": "array"}}}

        recorder = await harness.run(
            workflow([agent("writer")], [task("draft", "writer", output_json=schema)])
        )

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "output-invalid"

    async def test_arguments_written_as_text_do_not_fail_the_run(self, harness: EngineHarness) -> None:
        action = f"Action: calculator\nAction Input: {self.DEEP}"
        harness.provider.then(Say(chunks=[action]), Say("Final Answer: done"))
        crew = workflow([agent("writer", tools=["calculator"])], [task("draft", "writer")])

        recorder = await harness.run(crew, models=[harness.model(supports_tools=False)])

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "done"

    def test_response_is_not_a_model_response(self) -> None:
        assert classify(RecursionError("maximum recursion depth exceeded")).code == "provider-garbage"
