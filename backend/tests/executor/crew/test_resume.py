import pytest

from crewai_runner.domain.run import TaskResult
from crewai_runner.executor.port import Completed, NeedsHuman, Revision
from tests.executor.crew.harness import (
    EngineHarness,
    agent,
    hierarchical_workflow,
    parallel_workflow,
    sequential_workflow,
    task,
    workflow,
)
from tests.support.scripted_provider import CallTools, Hold, Say

pytestmark = pytest.mark.crew
DRAFT = TaskResult(raw="the old draft", agent="writer")


class TestFinishedTasks:
    async def test_are_reused_without_model_calls(self, harness: EngineHarness) -> None:
        recorder = await harness.run(sequential_workflow(), finished_tasks={"draft": DRAFT})

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) == 1
        assert "the old draft" in harness.provider.requests[0].text
        assert recorder.types[:2] == ["task.reused", "task.started"]
        reused = recorder.one("task.reused")
        assert (reused.task_key, reused.agent, reused.data.raw) == ("draft", "writer", "the old draft")
        assert recorder.outcome.result.tasks["draft"] == DRAFT

    async def test_one_of_two_parallel_tasks_is_reused(self, harness: EngineHarness) -> None:
        finished = {"right": TaskResult(raw="the right half", agent="editor")}

        recorder = await harness.run(parallel_workflow(), finished_tasks=finished)

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) == 2
        assert "the right half" in harness.provider.requests[-1].text
        assert recorder.outcome.result.tasks["right"].agent == "editor"

    async def test_are_the_context_of_later_tasks(self, harness: EngineHarness) -> None:
        tasks = [task("first"), task("second"), task("third", context=["first"])]
        finished = {"first": TaskResult(raw="ONE"), "second": TaskResult(raw="TWO")}

        await harness.run(workflow(tasks=tasks), finished_tasks=finished)

        sent = harness.provider.requests[0].text
        assert "ONE" in sent
        assert "TWO" not in sent

    async def test_structured_output_is_restored(self, harness: EngineHarness) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        finished = {"draft": TaskResult(raw='{"n": 7}', json_output={"n": 7}, agent="writer")}

        recorder = await harness.run(workflow(tasks=[task(output_json=schema)]), finished_tasks=finished)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.json_output == {"n": 7}
        assert harness.provider.requests == []


class TestReview:
    async def test_ends_the_attempt(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("proposal"))
        definition = workflow(tasks=[task(human_input=True), task("next")])

        recorder = await harness.run(definition)

        assert recorder.outcome == NeedsHuman("draft", "writer", "proposal")
        assert "task.completed" not in recorder.types
        assert "task.skipped" not in recorder.types
        assert len(harness.provider.requests) == 1

    async def test_approved_task_is_reused(self, harness: EngineHarness) -> None:
        definition = workflow(tasks=[task(human_input=True), task("next")])

        recorder = await harness.run(definition, finished_tasks={"draft": DRAFT})

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) == 1

    async def test_answer_of_a_manager_is_reviewed_and_revised(self, harness: EngineHarness) -> None:
        definition = hierarchical_workflow().model_copy(
            update={"tasks": [task("draft", None, human_input=True)]}
        )
        harness.provider.then(Say("first"), Say("second"))

        before = await harness.run(definition)
        after = await harness.run(definition, revision=Revision("draft", "first", "again"))

        assert before.outcome == NeedsHuman("draft", "manager", "first")
        assert after.outcome == NeedsHuman("draft", "manager", "second")
        assert len(harness.provider.requests) == 2

    async def test_delegated_answer_is_not_reviewed(self, harness: EngineHarness) -> None:
        definition = hierarchical_workflow().model_copy(
            update={"tasks": [task("draft", None, human_input=True)]}
        )
        request = {"task": "Write", "context": "c", "coworker": "writer role"}
        harness.provider.then(
            CallTools([("delegate_work_to_coworker", request)]), Say("by writer"), Say("by manager")
        )

        recorder = await harness.run(definition)

        assert recorder.outcome == NeedsHuman("draft", "manager", "by manager")

    async def test_includes_the_structured_output(self, harness: EngineHarness) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        harness.provider.then(Say('{"n": 1}'))

        recorder = await harness.run(workflow(tasks=[task(output_json=schema, human_input=True)]))

        assert isinstance(recorder.outcome, NeedsHuman)
        assert recorder.outcome.json_output == {"n": 1}

    async def test_waits_for_a_parallel_task(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("left"), contains="Do left")
        harness.provider.on(Hold("gate", Say("right")), contains="Do right")
        tasks = [
            task("left", async_execution=True, human_input=True),
            task("right", "editor", async_execution=True),
            task("join"),
        ]
        recorder, run = harness.start(harness.spec(workflow([agent("writer"), agent("editor")], tasks)))
        await harness.wait_for_requests(2)

        harness.provider.release("gate")
        await run

        assert recorder.outcome == NeedsHuman("left", "writer", "left")
        assert recorder.one("task.completed").data.raw == "right"


class TestRevision:
    async def test_is_one_call_with_the_previous_answer_and_the_feedback(
        self, harness: EngineHarness
    ) -> None:
        harness.provider.then(Say("better"))
        definition = workflow(tasks=[task(human_input=True), task("next")])
        revision = Revision("draft", previous="the proposal", feedback="make it shorter")

        recorder = await harness.run(definition, revision=revision)

        assert recorder.outcome == NeedsHuman("draft", "writer", "better")
        (request,) = harness.provider.requests
        *initial, answer, feedback = request.messages
        assert [message["role"] for message in initial] == ["system", "user"]
        assert "Do draft" in str(initial[-1]["content"])
        assert answer == {"role": "assistant", "content": "the proposal"}
        assert feedback["role"] == "user"
        assert "make it shorter" in feedback["content"]

    async def test_feedback_is_only_in_the_revised_task(self, harness: EngineHarness) -> None:
        revision = Revision("draft", previous="old", feedback="FEEDBACK")

        await harness.run(sequential_workflow(), revision=revision)

        first, second = harness.provider.requests
        assert "FEEDBACK" in first.text
        assert "FEEDBACK" not in second.text
