"""What the API's verbs do to runs: start, retry, resume, fork, status."""

import contextlib

import pytest

from crewai_runner.core.settings import Role
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import IllegalMove, TaskResult, WaitReason
from crewai_runner.features.executions.errors import (
    DefinitionInvalid,
    NoModel,
    ProviderConfigNotHere,
    TaskUnknown,
)
from crewai_runner.features.executions.plan import Planner
from crewai_runner.features.executions.schemas import ForkBody, ResumeBody, RetryBody, RunStart
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.runs.errors import InputsInvalid, RunNotFound, RunNotResumable
from crewai_runner.features.runs.schemas import RunRead
from crewai_runner.features.runs.service import NewRun
from tests.support.product import TWO_TASKS
from tests.support.runs import FAILURE, OWNER, STRANGER, Office, ask, completed, definition


async def start(desk: Office, **request: object) -> str:
    async with desk.session() as session:
        body = RunStart.model_validate({"workflow": TWO_TASKS} | request)
        return (await ExecutionService(session, desk.parts).start(OWNER, body)).run_id


async def resume(desk: Office, run_id: str, budget: Budget | None = None) -> RunRead:
    async with desk.session() as session:
        return await ExecutionService(session, desk.parts).resume(OWNER, run_id, ResumeBody(budget=budget))


async def a_failed_run(desk: Office) -> str:
    """Failed after its first task."""
    run_id = await desk.begun(NewRun(definition(), {"topic": "tea"}, metadata={"a": 1}))
    desk.parts.journal.open(run_id, 1, lambda: None)(completed("research", "Known."))
    await desk.parts.journal.flush()
    async with desk.desk(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    return run_id


async def test_a_started_run_is_queued_with_its_inputs_filled_in(desk: Office) -> None:
    run_id = await start(desk, metadata={"who": "me"})

    row = await desk.row(run_id)
    assert (row.state, row.inputs, row.extra) == ("queued", {"topic": "tea"}, {"who": "me"})
    assert await desk.waiting() == 1
    assert await desk.types(run_id) == ["run.queued"]


@pytest.mark.parametrize(
    ("request_body", "error"),
    [
        ({"workflow": None}, DefinitionInvalid),
        ({"workflowId": "wf_1"}, DefinitionInvalid),
        ({"workflow": "name: x"}, DefinitionInvalid),
        ({"inputs": {"topic": 3}}, InputsInvalid),
        ({"inputs": {"tpoic": "x"}}, InputsInvalid),
    ],
)
async def test_a_run_that_cannot_be_is_refused_and_nothing_is_queued(
    desk: Office, request_body: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await start(desk, **request_body)

    assert await desk.waiting() == 0


async def test_without_any_model_the_refusal_says_what_to_do(desk: Office) -> None:
    async with desk.session() as session:
        await session.delete(await session.get_one(ModelRow, "mdl_1"))

    with pytest.raises(NoModel, match="Register one"):
        await start(desk)


@pytest.mark.parametrize("role", [Role.API, Role.ALL])
async def test_a_provider_for_one_run_is_taken_only_where_runs_are_at_work(desk: Office, role: Role) -> None:
    desk.parts.settings.role = role
    inline = {"name": "mine", "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
    given = {"providerConfig": inline | {"apiKey": "sk-of-one-run", "models": ["m"]}}
    failed = await a_failed_run(desk)
    before = await desk.waiting()
    taken = (
        contextlib.nullcontext()
        if role is Role.ALL
        else pytest.raises(ProviderConfigNotHere, match="Register")
    )

    with taken:
        await start(desk, **given)
    for verb, body in (("retry", RetryBody(**given)), ("fork", ForkBody(from_task="report", **given))):
        async with desk.session() as session:
            with taken:
                await getattr(ExecutionService(session, desk.parts), verb)(OWNER, failed, body)

    assert await desk.waiting() == before + (3 if role is Role.ALL else 0)


async def test_a_retry_is_a_new_run_of_the_same(desk: Office) -> None:
    old = await a_failed_run(desk)

    async with desk.session() as session:
        new = await ExecutionService(session, desk.parts).retry(OWNER, old, RetryBody())

    assert (new.status, new.forked_from, new.inputs, new.metadata) == (
        "queued",
        old,
        {"topic": "tea"},
        {"a": 1},
    )
    assert {task.result for task in (await desk.tasks(new.id)).values()} == {None}
    assert (await desk.row(old)).state == "failed"


async def test_a_resumed_run_keeps_what_is_finished(desk: Office) -> None:
    run_id = await a_failed_run(desk)

    run = await resume(desk, run_id)

    assert (run.status, run.attempt, run.error) == ("queued", 2, None)
    known = (await desk.tasks(run_id))["research"].result
    assert known is not None
    assert known.raw == "Known."


async def test_a_resumed_run_has_its_time_limit_anew_and_its_budget_counts_on(desk: Office) -> None:
    run_id = await a_failed_run(desk)
    async with desk.desk(run_id) as (run, _):
        run.seconds_at_work = 7.0

    await resume(desk, run_id)

    spec = (await Planner(desk.parts).attempt(run_id, 2)).spec
    assert (spec.seconds_timed, spec.seconds_spent) == (0.0, 7.0)


async def test_a_raised_budget_lets_a_run_go_on_and_other_limits_stay(desk: Office) -> None:
    run_id = await desk.begun(NewRun(definition(), {}, budget=Budget(max_tokens=5, max_llm_calls=1)))
    async with desk.desk(run_id) as (run, lifecycle):
        await lifecycle.wait(run, WaitReason.BUDGET)

    run_read = await resume(desk, run_id, Budget(max_llm_calls=9))

    assert (run_read.status, run_read.budget) == ("queued", Budget(max_tokens=5, max_llm_calls=9))
    assert (await desk.row(run_id)).budget_raised


@pytest.mark.parametrize("state", ["queued", "running", "waiting"])
async def test_a_run_that_has_not_ended_cannot_be_resumed(desk: Office, state: str) -> None:
    run_id = await (desk.create() if state == "queued" else desk.begun())
    if state == "waiting":
        await ask(desk, run_id=run_id)

    with pytest.raises(RunNotResumable):
        await resume(desk, run_id)

    assert (await desk.row(run_id)).attempt == 1


async def test_of_two_resumes_one_counts(desk: Office) -> None:
    run_id = await a_failed_run(desk)
    await resume(desk, run_id)

    with pytest.raises((RunNotResumable, IllegalMove)):
        await resume(desk, run_id)

    assert (await desk.row(run_id)).attempt == 2


async def test_a_fork_takes_over_the_outputs_before_its_task(desk: Office) -> None:
    old = await a_failed_run(desk)

    async with desk.session() as session:
        service = ExecutionService(session, desk.parts)
        late = await service.fork(OWNER, old, ForkBody(from_task="report"))
        early = await service.fork(OWNER, old, ForkBody(from_task="research"))

    assert (await desk.tasks(late.id))["research"].result == TaskResult(raw="Known.")
    assert (await desk.tasks(early.id))["research"].result is None
    async with desk.session() as session:
        with pytest.raises(TaskUnknown, match="research, report"):
            await ExecutionService(session, desk.parts).fork(OWNER, old, ForkBody(from_task="x"))


async def test_nobody_touches_a_run_of_another_workspace(desk: Office) -> None:
    run_id = await a_failed_run(desk)

    async with desk.session() as session:
        service = ExecutionService(session, desk.parts)
        for call in (
            service.retry(STRANGER, run_id, RetryBody()),
            service.resume(STRANGER, run_id, ResumeBody()),
            service.fork(STRANGER, run_id, ForkBody(from_task="report")),
            service.status(STRANGER, run_id),
            service.get(STRANGER, run_id),
        ):
            with pytest.raises(RunNotFound):
                await call


async def test_the_first_versions_status_is_the_run_seen_from_its_agents(desk: Office) -> None:
    run_id = await a_failed_run(desk)

    async with desk.session() as session:
        status = await ExecutionService(session, desk.parts).status(OWNER, run_id)

    assert (status.status, status.progress, status.current_task) == ("failed", 50, None)
    assert [(agent.name, agent.status) for agent in status.agents] == [
        ("researcher", "completed"),
        ("writer", "idle"),
    ]
    assert status.error == FAILURE
