import pytest

from crewai_runner.domain.run import TaskResult
from crewai_runner.executor.port import Completed, NeedsHuman, Revision
from tests.executor.crew.kit import Stage, agent, chain, crowd, hierarchy, task, workflow
from tests.support.scripted_provider import CallTools, Hold, Say

pytestmark = pytest.mark.crew

DRAFT = TaskResult(raw="the old draft", agent="writer")


async def test_finished_tasks_are_taken_and_not_paid_for_again(stage: Stage) -> None:
    heard = await stage.play(chain(), finished_tasks={"draft": DRAFT})

    assert isinstance(heard.outcome, Completed)
    assert len(stage.provider.requests) == 1
    assert "the old draft" in stage.provider.requests[0].text
    assert heard.types[:2] == ["task.reused", "task.started"]
    reused = heard.one("task.reused")
    assert (reused.task_key, reused.agent, reused.data.raw) == ("draft", "writer", "the old draft")
    assert heard.outcome.result.tasks["draft"] == DRAFT


async def test_a_finished_task_in_the_middle_of_others_is_taken(stage: Stage) -> None:
    finished = {"right": TaskResult(raw="the right half", agent="editor")}

    heard = await stage.play(crowd(), finished_tasks=finished)

    assert isinstance(heard.outcome, Completed)
    assert len(stage.provider.requests) == 2
    assert "the right half" in stage.provider.requests[-1].text
    assert heard.outcome.result.tasks["right"].agent == "editor"


async def test_finished_tasks_serve_as_context(stage: Stage) -> None:
    tasks = [task("first"), task("second"), task("third", context=["first"])]
    finished = {"first": TaskResult(raw="ONE"), "second": TaskResult(raw="TWO")}

    await stage.play(workflow(tasks=tasks), finished_tasks=finished)

    sent = stage.provider.requests[0].text
    assert "ONE" in sent
    assert "TWO" not in sent


async def test_structured_results_come_back_whole(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    finished = {"draft": TaskResult(raw='{"n": 7}', json_output={"n": 7}, agent="writer")}

    heard = await stage.play(workflow(tasks=[task(output_json=schema)]), finished_tasks=finished)

    assert isinstance(heard.outcome, Completed)
    assert heard.outcome.result.json_output == {"n": 7}
    assert stage.provider.requests == []


async def test_an_answer_to_be_reviewed_ends_the_attempt(stage: Stage) -> None:
    stage.provider.then(Say("proposal"))
    definition = workflow(tasks=[task(human_input=True), task("next")])

    heard = await stage.play(definition)

    assert heard.outcome == NeedsHuman("draft", "writer", "proposal")
    assert "task.completed" not in heard.types
    assert "task.skipped" not in heard.types
    assert len(stage.provider.requests) == 1


async def test_an_approved_task_is_not_asked_for_again(stage: Stage) -> None:
    definition = workflow(tasks=[task(human_input=True), task("next")])

    heard = await stage.play(definition, finished_tasks={"draft": DRAFT})

    assert isinstance(heard.outcome, Completed)
    assert len(stage.provider.requests) == 1


async def test_a_revision_is_one_more_call_with_the_answer_and_the_feedback(stage: Stage) -> None:
    stage.provider.then(Say("better"))
    definition = workflow(tasks=[task(human_input=True), task("next")])
    revision = Revision("draft", previous="the proposal", feedback="make it shorter")

    heard = await stage.play(definition, revision=revision)

    assert heard.outcome == NeedsHuman("draft", "writer", "better")
    (request,) = stage.provider.requests
    *usual, answer, wish = request.messages
    assert [message["role"] for message in usual] == ["system", "user"]
    assert "Do draft" in str(usual[-1]["content"])
    assert answer == {"role": "assistant", "content": "the proposal"}
    assert wish["role"] == "user"
    assert "make it shorter" in wish["content"]


async def test_only_the_revised_task_hears_the_feedback(stage: Stage) -> None:
    revision = Revision("draft", previous="old", feedback="FEEDBACK")

    await stage.play(chain(), revision=revision)

    first, second = stage.provider.requests
    assert "FEEDBACK" in first.text
    assert "FEEDBACK" not in second.text


async def test_a_manager_s_answer_is_reviewed_and_revised(stage: Stage) -> None:
    definition = hierarchy().model_copy(update={"tasks": [task("draft", None, human_input=True)]})
    stage.provider.then(Say("first"), Say("second"))

    before = await stage.play(definition)
    after = await stage.play(definition, revision=Revision("draft", "first", "again"))

    assert before.outcome == NeedsHuman("draft", "manager", "first")
    assert after.outcome == NeedsHuman("draft", "manager", "second")
    assert len(stage.provider.requests) == 2


async def test_a_delegate_s_answer_is_not_reviewed_but_the_manager_s_is(stage: Stage) -> None:
    definition = hierarchy().model_copy(update={"tasks": [task("draft", None, human_input=True)]})
    order = {"task": "Write", "context": "c", "coworker": "writer role"}
    stage.provider.then(
        CallTools([("delegate_work_to_coworker", order)]), Say("by writer"), Say("by manager")
    )

    heard = await stage.play(definition)

    assert heard.outcome == NeedsHuman("draft", "manager", "by manager")


async def test_a_reviewed_structured_answer_carries_its_data(stage: Stage) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    stage.provider.then(Say('{"n": 1}'))

    heard = await stage.play(workflow(tasks=[task(output_json=schema, human_input=True)]))

    assert isinstance(heard.outcome, NeedsHuman)
    assert heard.outcome.json_output == {"n": 1}


async def test_a_review_waits_for_the_task_beside_it(stage: Stage) -> None:
    stage.provider.on(Say("left"), contains="Do left")
    stage.provider.on(Hold("gate", Say("right")), contains="Do right")
    tasks = [
        task("left", async_execution=True, human_input=True),
        task("right", "editor", async_execution=True),
        task("join"),
    ]
    heard, run = stage.begin(stage.spec(workflow([agent("writer"), agent("editor")], tasks)))
    await stage.requests(2)

    stage.provider.release("gate")
    await run

    assert heard.outcome == NeedsHuman("left", "writer", "left")
    assert heard.one("task.completed").data.raw == "right"
