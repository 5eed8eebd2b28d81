import pytest

from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.harness import (
    EngineHarness,
    agent,
    hierarchical_workflow,
    parallel_workflow,
    sequential_workflow,
    task,
    workflow,
)
from tests.support.scripted_provider import CallTools, Fail, Say, Usage

pytestmark = pytest.mark.crew
DELEGATE = {"task": "Write it", "context": "all of it", "coworker": "writer role"}


class TestTasks:
    async def test_sequential_tasks_emit_events_in_order(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("a draft", usage=Usage(10, 5)), Say("a text", usage=Usage(20, 7)))

        recorder = await harness.run(sequential_workflow())

        assert recorder.types == [
            *("task.started", "agent.started", "llm.started", "llm.completed", "agent.completed"),
            *("task.completed", "task.started", "agent.started", "llm.started", "llm.completed"),
            *("agent.completed", "task.completed"),
        ]
        assert [(e.task_key, e.agent) for e in recorder.all("task.completed")] == [
            ("draft", "writer"),
            ("edit", "editor"),
        ]
        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "a text"
        assert recorder.outcome.result.tasks["draft"].raw == "a draft"
        assert "a draft" in harness.provider.requests[1].text

    async def test_known_placeholders_are_filled_once(self, harness: EngineHarness) -> None:
        json_text = '{"a": "%s", "b": {"c": 1}} {{ topic }} { topic } {x:.2f} {items[0]}'
        description = "Write of {topic}, not of {unknown} or {x.__class__} or {0} " + json_text % "{topic}"
        inputs = {"topic": "{secret} cats", "secret": "dogs"}

        await harness.run(workflow(tasks=[task(description=description)]), inputs=inputs)

        sent = harness.provider.requests[0].text
        assert "Write of {secret} cats, not of {unknown} or {x.__class__} or {0} " in sent
        assert json_text % "{secret} cats" in sent

    async def test_async_tasks_run_in_parallel(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("joined"), contains="Do join")

        recorder = await harness.run(parallel_workflow())

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "joined"
        assert {e.task_key for e in recorder.all("task.completed")} == {"left", "right", "join"}
        assert {e.agent for e in recorder.all("llm.started") if e.task_key == "right"} == {"editor"}

    async def test_one_agent_runs_two_parallel_tasks(self, harness: EngineHarness) -> None:
        both = [task("left", async_execution=True), task("right", async_execution=True)]

        recorder = await harness.run(workflow(tasks=[*both, task("join")]))

        assert isinstance(recorder.outcome, Completed)
        assert {e.agent for e in recorder.all("llm.started")} == {"writer"}

    async def test_structured_output(self, harness: EngineHarness) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        harness.provider.then(Say('{"n": 7}'))

        recorder = await harness.run(workflow(tasks=[task(output_json=schema)]))

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.json_output == {"n": 7}
        assert recorder.one("task.completed").data.json_output == {"n": 7}

    async def test_answer_that_does_not_match_the_schema_fails(self, harness: EngineHarness) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        harness.provider.on(Say("I would rather write prose."))

        recorder = await harness.run(workflow(tasks=[task(output_json=schema)]))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "output-invalid"
        assert recorder.outcome.failure.task_key == "draft"

    async def test_markdown_date_and_templates_are_in_the_prompt(self, harness: EngineHarness) -> None:
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

        await harness.run(definition)

        sent = harness.provider.requests[0].text
        assert "Markdown" in sent
        assert "Current Date: 20" in sent
        assert "ASK " in sent


class TestModelCalls:
    async def test_events_have_call_number_usage_and_cost(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("a", usage=Usage(10, 5, cached=4)), Say("b", report_usage=False))

        recorder = await harness.run(sequential_workflow())

        first, second = recorder.all("llm.completed")
        assert [first.data.call, second.data.call] == [1, 2]
        assert (first.data.usage.prompt_tokens, first.data.usage.completion_tokens) == (10, 5)
        assert first.data.usage.cached_tokens == 4
        assert str(first.data.usage.cost.amount) == "0.00002"
        assert second.data.usage.prompt_tokens is None
        assert second.data.usage.total_tokens is None
        assert second.data.usage.cost is None
        assert second.data.usage.llm_calls == 1

    async def test_each_agent_uses_its_own_model(self, harness: EngineHarness) -> None:
        agents = [agent("writer", model=ModelChoice(name="small")), agent("editor")]
        models = [harness.model("large", model="large-model"), harness.model("small", model="small-model")]

        recorder = await harness.run(workflow(agents, [task("draft"), task("edit", "editor")]), models=models)

        assert [r.model for r in harness.provider.requests] == ["small-model", "large-model"]
        assert [e.data.model for e in recorder.all("llm.started")] == ["small", "large"]

    async def test_unregistered_model_fails(self, harness: EngineHarness) -> None:
        definition = workflow([agent(model=ModelChoice(name="gone"))])

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "model-unknown"
        assert "gone" in recorder.outcome.failure.message
        assert recorder.types == ["task.skipped"]

    async def test_planning(self, harness: EngineHarness) -> None:
        plan = {"plan": "think", "steps": [], "ready": True}
        harness.provider.on(CallTools([("create_reasoning_plan", plan)]), contains="plan", times=1)
        harness.provider.on(Say("READY: I am ready to execute the task."), contains="plan", times=1)

        recorder = await harness.run(workflow([agent(planning=True)]))

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) >= 2

    async def test_max_iter_ends_an_agent_that_only_calls_tools(self, harness: EngineHarness) -> None:
        harness.provider.on(
            lambda request: CallTools(
                [("delegate_work_to_coworker", DELEGATE | {"task": str(request.number)})]
            ),
            when=lambda request: bool(request.tools),
            times=30,
        )
        definition = workflow([agent("writer", max_iter=2, allow_delegation=True), agent("editor")])

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) <= 4


class TestHierarchicalCrew:
    async def test_delegation_events(self, harness: EngineHarness) -> None:
        harness.provider.then(
            CallTools([("delegate_work_to_coworker", DELEGATE)]), Say("written"), Say("all done")
        )

        recorder = await harness.run(hierarchical_workflow())

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.tasks["draft"].agent == "manager"
        started, completed = recorder.one("delegation.started"), recorder.one("delegation.completed")
        assert (started.agent, started.data.to, started.data.request) == ("manager", "writer", "Write it")
        assert (completed.data.to, completed.data.output) == ("writer", "written")
        assert started.data.tool_call_id == completed.data.tool_call_id
        assert [e.agent for e in recorder.all("llm.started")] == ["manager", "writer", "manager"]
        assert {e.task_key for e in recorder.events} == {"draft"}
        assert not recorder.all("tool.started")

    @pytest.mark.parametrize(
        "coworker", ["writer", "Writer Role\n", "['writer role']", '["WRITER ROLE"]', "writer role (writes)"]
    )
    async def test_coworker_is_found_however_a_model_writes_it(
        self, harness: EngineHarness, coworker: str
    ) -> None:
        call = ("delegate_work_to_coworker", DELEGATE | {"coworker": coworker})
        harness.provider.then(CallTools([call]), Say("written"), Say("all done"))

        recorder = await harness.run(hierarchical_workflow())

        assert recorder.one("delegation.started").data.to == "writer"
        assert recorder.one("delegation.completed").data.output == "written"

    @pytest.mark.parametrize("fault", ["unknown coworker", "failing coworker"])
    async def test_failed_delegation_is_reported_as_failed(self, harness: EngineHarness, fault: str) -> None:
        coworker = "nobody" if fault == "unknown coworker" else "writer role"
        call = ("delegate_work_to_coworker", DELEGATE | {"coworker": coworker})
        failing = [Fail(400)] if fault == "failing coworker" else []
        harness.provider.then(CallTools([call]), *failing, Say("did it myself"))

        recorder = await harness.run(hierarchical_workflow())

        assert isinstance(recorder.outcome, Completed)
        failed = recorder.one("delegation.failed").data
        assert (failed.to, failed.cut_off) == ("writer" if failing else "nobody", False)
        assert failed.message
        assert not recorder.all("delegation.completed")

    @pytest.mark.parametrize("coworker", [["writer role"], {"role": "writer role"}, 7, None])
    async def test_coworker_that_is_no_text_is_explained_to_the_model(
        self, harness: EngineHarness, coworker: object
    ) -> None:
        call = ("delegate_work_to_coworker", DELEGATE | {"coworker": coworker})
        harness.provider.then(CallTools([call]), Say("did it myself"))

        recorder = await harness.run(hierarchical_workflow())

        assert isinstance(recorder.outcome, Completed)
        assert "valid string" in recorder.one("delegation.failed").data.message
        assert "valid string" in str(harness.provider.requests[-1].messages)

    async def test_custom_manager_agent_keeps_its_key(self, harness: EngineHarness) -> None:
        definition = workflow(
            [agent("boss"), agent("writer")],
            [task("draft", None)],
            process=ProcessKind.HIERARCHICAL,
            manager_agent="boss",
        )

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.one("llm.started").agent == "boss"


class TestGuardrails:
    async def test_failed_guardrail_makes_the_agent_retry(self, harness: EngineHarness) -> None:
        guardrail_prompt = "Ensure the following task result complies"
        harness.provider.on(
            Say('{"valid": false, "feedback": "too long"}'), contains=guardrail_prompt, times=1
        )
        harness.provider.on(Say('{"valid": true}'), contains=guardrail_prompt)
        harness.provider.then(Say("a long text"), Say("short"))

        recorder = await harness.run(workflow(tasks=[task(guardrails=["must be short"])]))

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "short"
        failed, passed = recorder.one("guardrail.failed"), recorder.one("guardrail.passed")
        assert (failed.data.guardrail, failed.data.message) == ("must be short", "too long")
        assert passed.data.retry == 1
        assert [e.data.call for e in recorder.all("llm.started")] == [1, 2, 3, 4]
        assert {e.task_key for e in recorder.all("llm.started")} == {"draft"}

    async def test_guardrail_that_never_passes_fails_the_run(self, harness: EngineHarness) -> None:
        guardrail_prompt = "Ensure the following task result complies"
        harness.provider.on(Say('{"valid": false, "feedback": "no"}'), contains=guardrail_prompt)

        recorder = await harness.run(workflow(tasks=[task(guardrails=["never"], guardrail_max_retries=1)]))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "guardrail-failed"
        assert len(recorder.all("guardrail.failed")) == 2

    async def test_guardrail_of_a_task_without_an_agent(self, harness: EngineHarness) -> None:
        harness.provider.on(Say('{"valid": true}'), contains="Ensure the following task result complies")
        definition = workflow(
            tasks=[task("draft", None, guardrails=["polite"])], process=ProcessKind.HIERARCHICAL
        )

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.one("guardrail.passed").data.guardrail == "polite"
