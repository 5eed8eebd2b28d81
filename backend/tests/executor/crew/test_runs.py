import pytest

from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.kit import Stage, agent, chain, crowd, hierarchy, task, workflow
from tests.support.scripted_provider import CallTools, Say, Usage

pytestmark = pytest.mark.crew

DELEGATE = {"task": "Write it", "context": "all of it", "coworker": "writer role"}


async def test_two_tasks_are_done_one_after_the_other_and_told_in_order(stage: Stage) -> None:
    stage.provider.then(Say("a draft", usage=Usage(10, 5)), Say("a text", usage=Usage(20, 7)))

    heard = await stage.play(chain())

    assert heard.types == [
        *("task.started", "agent.started", "llm.started", "llm.completed", "agent.completed"),
        *("task.completed", "task.started", "agent.started", "llm.started", "llm.completed"),
        *("agent.completed", "task.completed"),
    ]
    assert [(e.task_key, e.agent) for e in heard.of("task.completed")] == [
        ("draft", "writer"),
        ("edit", "editor"),
    ]
    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.raw == "a text"
    assert heard.outcome.result.tasks["draft"].raw == "a draft"
    assert "a draft" in stage.provider.requests[1].text


async def test_each_call_carries_its_number_usage_and_cost(stage: Stage) -> None:
    stage.provider.then(Say("a", usage=Usage(10, 5, cached=4)), Say("b", report_usage=False))

    heard = await stage.play(chain())

    first, second = heard.of("llm.completed")
    assert [first.data.call, second.data.call] == [1, 2]
    assert (first.data.usage.prompt_tokens, first.data.usage.completion_tokens) == (10, 5)
    assert first.data.usage.cached_tokens == 4
    assert str(first.data.usage.cost.amount) == "0.00002"
    assert second.data.usage.prompt_tokens is None
    assert second.data.usage.total_tokens is None
    assert second.data.usage.cost is None
    assert second.data.usage.llm_calls == 1


async def test_placeholders_are_filled_once_from_known_inputs(stage: Stage) -> None:
    description = "Write of {topic}, not of {unknown} or {x.__class__} or {0}"
    inputs = {"topic": "{secret} cats", "secret": "dogs"}

    await stage.play(workflow(tasks=[task(description=description)]), inputs=inputs)

    sent = stage.provider.requests[0].text
    assert "Write of {secret} cats, not of {unknown} or {x.__class__} or {0}" in sent


async def test_async_tasks_run_at_the_same_time_and_are_joined(stage: Stage) -> None:
    stage.provider.on(Say("joined"), contains="Do join")

    heard = await stage.play(crowd())

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.raw == "joined"
    assert {e.task_key for e in heard.of("task.completed")} == {"left", "right", "join"}
    assert {e.agent for e in heard.of("llm.started") if e.task_key == "right"} == {"editor"}


async def test_one_agent_may_do_two_tasks_at_the_same_time(stage: Stage) -> None:
    both = [task("left", async_execution=True), task("right", async_execution=True)]

    heard = await stage.play(workflow(tasks=[*both, task("join")]))

    assert isinstance(heard.outcome, Completed)
    assert {e.agent for e in heard.of("llm.started")} == {"writer"}


async def test_a_manager_delegates_and_its_words_are_told_as_delegation(stage: Stage) -> None:
    stage.provider.then(CallTools([("delegate_work_to_coworker", DELEGATE)]), Say("written"), Say("all done"))

    heard = await stage.play(hierarchy())

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.tasks["draft"].agent == "manager"
    begun, done = heard.one("delegation.started"), heard.one("delegation.completed")
    assert (begun.agent, begun.data.to, begun.data.request) == ("manager", "writer", "Write it")
    assert (done.data.to, done.data.output) == ("writer", "written")
    assert begun.data.tool_call_id == done.data.tool_call_id
    assert [e.agent for e in heard.of("llm.started")] == ["manager", "writer", "manager"]
    assert {e.task_key for e in heard.events} == {"draft"}
    assert not heard.of("tool.started")


async def test_a_manager_of_ones_own_keeps_its_key(stage: Stage) -> None:
    definition = workflow(
        [agent("boss"), agent("writer")],
        [task("draft", None)],
        process=ProcessKind.HIERARCHICAL,
        manager_agent="boss",
    )

    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Completed)
    assert heard.one("llm.started").agent == "boss"


async def test_structured_output_comes_back_as_data(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    stage.provider.then(Say('{"n": 7}'))

    heard = await stage.play(workflow(tasks=[task(output_json=schema)]))

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.json_output == {"n": 7}
    assert heard.one("task.completed").data.json_output == {"n": 7}


async def test_an_answer_that_never_becomes_data_fails_clearly(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    stage.provider.on(Say("I would rather write prose."))

    heard = await stage.play(workflow(tasks=[task(output_json=schema)]))

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "output-invalid"
    assert heard.outcome.failure.task_key == "draft"


async def test_a_guardrail_in_words_sends_the_agent_back_once(stage: Stage) -> None:
    verdict = "Ensure the following task result complies"
    stage.provider.on(Say('{"valid": false, "feedback": "too long"}'), contains=verdict, times=1)
    stage.provider.on(Say('{"valid": true}'), contains=verdict)
    stage.provider.then(Say("a long text"), Say("short"))

    heard = await stage.play(workflow(tasks=[task(guardrails=["must be short"])]))

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.raw == "short"
    failed, passed = heard.one("guardrail.failed"), heard.one("guardrail.passed")
    assert (failed.data.guardrail, failed.data.message) == ("must be short", "too long")
    assert passed.data.retry == 1
    assert [e.data.call for e in heard.of("llm.started")] == [1, 2, 3, 4]
    assert {e.task_key for e in heard.of("llm.started")} == {"draft"}


async def test_a_guardrail_that_never_passes_fails_clearly(stage: Stage) -> None:
    verdict = "Ensure the following task result complies"
    stage.provider.on(Say('{"valid": false, "feedback": "no"}'), contains=verdict)

    heard = await stage.play(workflow(tasks=[task(guardrails=["never"], guardrail_max_retries=1)]))

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "guardrail-failed"
    assert len(heard.of("guardrail.failed")) == 2


async def test_a_guardrail_works_without_an_agent_under_a_manager(stage: Stage) -> None:
    stage.provider.on(Say('{"valid": true}'), contains="Ensure the following task result complies")
    definition = workflow(
        tasks=[task("draft", None, guardrails=["polite"])], process=ProcessKind.HIERARCHICAL
    )

    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Completed)
    assert heard.one("guardrail.passed").data.guardrail == "polite"


async def test_an_agent_plans_before_it_works(stage: Stage) -> None:
    plan = {"plan": "think", "steps": [], "ready": True}
    stage.provider.on(CallTools([("create_reasoning_plan", plan)]), contains="plan", times=1)
    stage.provider.on(Say("READY: I am ready to execute the task."), contains="plan", times=1)

    heard = await stage.play(workflow([agent(planning=True)]))

    assert isinstance(heard.outcome, Completed)
    assert len(stage.provider.requests) >= 2


async def test_markdown_date_and_templates_reach_the_prompt(stage: Stage) -> None:
    definition = workflow(
        [
            agent(
                inject_date=True,
                date_format="%Y",
                system_template="SYS {{ .System }}",
                prompt_template="ASK {{ .Prompt }}",
                response_template="SAY {{ .Response }}",
            )
        ],
        [task(markdown=True)],
    )

    await stage.play(definition)

    sent = stage.provider.requests[0].text
    assert "Markdown" in sent
    assert "Current Date: 20" in sent
    assert "ASK " in sent


async def test_every_agent_asks_its_own_model(stage: Stage) -> None:
    agents = [agent("writer", model=ModelChoice(name="small")), agent("editor")]
    models = [stage.model("large", model="large-model"), stage.model("small", model="small-model")]

    heard = await stage.play(workflow(agents, [task("draft"), task("edit", "editor")]), models=models)

    assert [r.model for r in stage.provider.requests] == ["small-model", "large-model"]
    assert [e.data.model for e in heard.of("llm.started")] == ["small", "large"]


async def test_a_model_that_is_not_registered_fails_clearly(stage: Stage) -> None:
    definition = workflow([agent(model=ModelChoice(name="gone"))])

    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "model-unknown"
    assert "gone" in heard.outcome.failure.message
    assert heard.types == ["task.skipped"]


async def test_max_iter_ends_an_agent_that_only_wants_tools(stage: Stage) -> None:
    stage.provider.on(
        lambda request: CallTools([("delegate_work_to_coworker", DELEGATE | {"task": str(request.number)})]),
        when=lambda request: bool(request.tools),
        times=30,
    )
    definition = workflow([agent("writer", max_iter=2, allow_delegation=True), agent("editor")])

    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Completed)
    assert len(stage.provider.requests) <= 4
