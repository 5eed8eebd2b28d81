import pytest

from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.workflow import ToolFailurePolicy
from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.kit import Stage, agent, chain, task, workflow
from tests.support.scripted_provider import CallTools, Drop, Empty, Fail, Garbage, Hang, Reply, Say

pytestmark = pytest.mark.crew


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
        (Drop(), "provider-unreachable"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_s_failure_is_told_with_its_cause_after_one_request(
    stage: Stage, reply: Reply, code: str, stream: bool
) -> None:
    stage.provider.on(reply)

    heard = await stage.play(chain(), stream_tokens=stream)

    assert isinstance(heard.outcome, Failed)
    failure = heard.outcome.failure
    assert failure.code == code
    assert (failure.provider, failure.task_key, failure.agent) == ("Scripted", "draft", "writer")
    assert failure.hint
    assert len(stage.provider.requests) == 1
    assert heard.one("task.failed").data.error == failure
    assert heard.one("task.skipped").task_key == "edit"
    assert heard.types[-1] == "task.skipped"


async def test_a_failed_call_is_told_once(stage: Stage) -> None:
    stage.provider.on(Fail(401, "wrong key"))

    heard = await stage.play()

    failed = heard.one("llm.failed")
    assert failed.data.error.code == "provider-auth"
    assert failed.data.call == 1


async def test_a_call_that_takes_too_long_is_a_timeout(stage: Stage) -> None:
    stage.provider.on(Hang())
    hasty = stage.model(settings=ModelSettings(timeout_seconds=0.3, max_retries=0))

    heard = await stage.play(models=[hasty])

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "provider-timeout"
    assert len(stage.provider.requests) == 1


async def test_retries_are_those_of_the_model_s_settings(stage: Stage) -> None:
    stage.provider.on(Fail(500))
    stubborn = stage.model(settings=ModelSettings(max_retries=2))

    heard = await stage.play(models=[stubborn])

    assert isinstance(heard.outcome, Failed)
    assert len(stage.provider.requests) == 3
    warned = heard.of("warning.raised")
    assert [event.data.code for event in warned] == ["provider-retry", "provider-retry"]


async def test_an_agent_retries_as_often_as_it_is_told(stage: Stage) -> None:
    stage.provider.then(Fail(500))

    heard = await stage.play(workflow([agent(max_retry_limit=1)]))

    assert isinstance(heard.outcome, Completed)
    assert heard.types.count("agent.failed") == 1
    assert len(stage.provider.requests) == 2


async def test_an_agent_that_works_too_long_is_ended(stage: Stage) -> None:
    stage.provider.on(Hang())

    heard = await stage.play(workflow([agent(max_execution_time=1)]))

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "agent-timeout"
    await stage.disconnects(1)


async def test_malformed_tool_arguments_go_back_to_the_model(stage: Stage) -> None:
    stage.provider.then(CallTools([("calculator", '{"expression": ')]), Say("sorry"))

    heard = await stage.play(workflow([agent(tools=["calculator"])]))

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.raw == "sorry"


async def test_a_tool_that_fails_goes_back_to_the_model_and_is_told(stage: Stage) -> None:
    stage.provider.then(CallTools([("calculator", {"expression": "1/0"})]), Say("never mind"))

    heard = await stage.play(workflow([agent(tools=["calculator"])]))

    assert isinstance(heard.outcome, Completed)
    failed = heard.one("tool.failed")
    started = heard.one("tool.started")
    assert started.data.arguments == {"expression": "1/0"}
    assert failed.data.tool_call_id == started.data.tool_call_id
    assert failed.agent == "writer"


async def test_a_tool_that_fails_ends_the_run_when_the_policy_says_so(stage: Stage) -> None:
    stage.provider.then(CallTools([("calculator", {"expression": "1/0"})]))
    definition = workflow([agent(tools=["calculator"], tool_failure_policy=ToolFailurePolicy.RAISE)])

    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "tool-failed"
    assert len(stage.provider.requests) == 1


async def test_a_tool_is_told_with_its_output_and_its_time(stage: Stage) -> None:
    stage.provider.then(CallTools([("calculator", {"expression": "6*7"})]), Say("42"))

    heard = await stage.play(workflow(tasks=[task(tools=["calculator"])]))

    done = heard.one("tool.completed")
    assert done.data.output == "42"
    assert done.data.duration_ms >= 0
    assert heard.of("llm.completed")[0].data.tool_calls == ["calculator"]
    assert heard.one("agent.started").data.tools == ["calculator"]


async def test_tools_asked_for_together_are_told_apart(stage: Stage) -> None:
    wishes = [("calculator", {"expression": f"{n}+0"}) for n in range(4)]
    stage.provider.then(CallTools(wishes), Say("done"))

    heard = await stage.play(workflow([agent(tools=["calculator"])]))

    started = {e.data.tool_call_id: e.data.arguments["expression"] for e in heard.of("tool.started")}
    done = {e.data.tool_call_id: e.data.output for e in heard.of("tool.completed")}
    assert len(done) == 4
    assert {started[key]: output for key, output in done.items()} == {f"{n}+0": str(n) for n in range(4)}
