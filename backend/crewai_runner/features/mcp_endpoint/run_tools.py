"""The tools for runs that are there: list, get, stop, and answer what they ask."""

import json
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.principal import Principal
from crewai_runner.db.session import read_session
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run import RunFailure, RunResult, RunState
from crewai_runner.features.approvals.schemas import ApprovalRead, ApprovalResolve
from crewai_runner.features.mcp_endpoint.errors import ToolRefused
from crewai_runner.features.mcp_endpoint.reports import (
    count_done,
    describe_next_step,
    is_short_json,
    list_actions,
    make_result,
    make_text_result,
    shorten,
    summarize_usage,
)
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.schemas import (
    AnswerApprovalArguments,
    GetRunArguments,
    ListRunsArguments,
    OpenApproval,
    RunReport,
    StopRunArguments,
)
from crewai_runner.features.runs.schemas import RunTaskRead, to_usage
from crewai_runner.features.runs.service import RunFilter, RunService
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.features.workflows.service import WorkflowService


class RunTools:
    def __init__(self, deps: McpEndpointDeps) -> None:
        self._deps = deps

    async def list_runs(self, principal: Principal, arguments: ListRunsArguments) -> dict[str, Any]:
        """Raises BadRequest for an invalid cursor, ToolRefused for an unknown workflow."""
        run_filter = RunFilter(
            states=[] if arguments.status is None else [arguments.status],
            workflow_id=await self._find_workflow(principal, arguments.workflow),
        )
        page = json.loads(
            await self._deps.list_runs(principal, run_filter, arguments.limit, arguments.cursor)
        )
        runs = [_summarize(run) for run in page["runs"]]
        lines = [f"{run['run_id']}  {run['state']}  {run['workflow']}  {run['created_at']}" for run in runs]
        result = make_text_result("\n".join(lines) or "There are no such runs.")
        return result | {"structuredContent": {"runs": runs, "next_cursor": page["nextCursor"]}}

    async def _find_workflow(self, principal: Principal, slug: str | None) -> str | None:
        if slug is None:
            return None
        try:
            async with read_session(self._deps.sessions) as session:
                workflow_id, _ = await WorkflowService(session).find_automation(principal, slug)
        except WorkflowNotFound:
            raise ToolRefused(f"There is no workflow {slug!r}.") from None
        return workflow_id

    async def get_run(self, principal: Principal, arguments: GetRunArguments) -> dict[str, Any]:
        """Raises RunNotFound."""
        return make_result(await self.report(principal, arguments.run_id), is_started_here=False)

    async def stop_run(self, principal: Principal, arguments: StopRunArguments) -> dict[str, Any]:
        """Raises RunNotFound, RunAlreadyFinished, RunElsewhere."""
        get_entry().begin_operation("mcp:stop_run")
        stopped = await self._deps.stop_run(principal, arguments.run_id, arguments.mode)
        content = {"run_id": stopped.run_id, "state": stopped.status.value}
        return make_text_result(stopped.message) | {"structuredContent": content}

    async def answer_approval(
        self, principal: Principal, arguments: AnswerApprovalArguments
    ) -> dict[str, Any]:
        """Raises what `ApprovalService.resolve` raises."""
        get_entry().begin_operation("mcp:answer_approval")
        get_entry().set_target("approval", arguments.approval_id)
        await self._deps.wait_until_open()
        resolution = ApprovalResolve.model_validate(arguments.model_dump(exclude={"approval_id"}))
        async with self._deps.transaction() as session:
            approvals = self._deps.approvals(session)
            approval = await approvals.resolve(principal, arguments.approval_id, resolution)
            run_id, state = approval.run_id, approval.state
        text = f"The request is {state}. Call `get_run` with run_id {run_id} to follow the run."
        content = {"approval_id": arguments.approval_id, "state": str(state), "run_id": run_id}
        return make_text_result(text) | {"structuredContent": content}

    async def report(self, principal: Principal, run_id: str) -> RunReport:
        """Return the state of a run, with its result or with what it waits for. Raises RunNotFound."""
        async with read_session(self._deps.sessions) as session:
            runs = RunService(session)
            run = await runs.get(principal, run_id)
            tasks = await runs.list_tasks(run.id)
            approval = None
            if run.state == RunState.WAITING:
                approvals = self._deps.approvals(session)
                found = await approvals.find_open(principal, run.id)
                approval = None if found is None else await approvals.describe(principal, found)
            report = RunReport(
                run_id=run.id,
                workflow=run.workflow_name,
                state=RunState(run.state),
                wait_reason=run.wait_reason,
                approval=None if approval is None else _to_open_approval(approval),
                tasks_completed=count_done([task.status for task in tasks]),
                tasks_total=len(tasks),
                usage=summarize_usage(to_usage(run)),
                **_read_ending(run.result, run.error, tasks),
            )
        return report.model_copy(update={"next_step": describe_next_step(report)})


def _read_ending(
    result: Mapping[str, Any] | None, error: Mapping[str, Any] | None, tasks: list[RunTaskRead]
) -> dict[str, Any]:
    """Return how the run has ended, as fields of a report; outputs are shortened."""
    if error is not None:
        failure = RunFailure.model_validate(error)
        where = f" in task {failure.task_key}" if failure.task_key in {task.key for task in tasks} else ""
        hint = f" {failure.hint}" if failure.hint else ""
        return {"error": f"The run failed{where}: {failure.message}{hint}"}
    if result is None:
        return {}
    output = RunResult.model_validate(result)
    raw = shorten(output.raw)
    json_output = output.json_output if is_short_json(output.json_output) else None
    is_shortened = raw != output.raw or json_output != output.json_output
    return {"output": raw, "json_output": json_output, "is_shortened": is_shortened}


def _to_open_approval(approval: ApprovalRead) -> OpenApproval:
    return OpenApproval(
        approval_id=approval.id,
        kind=approval.kind,
        task=approval.task_key,
        prompt=shorten(approval.prompt),
        output=shorten(approval.output),
        may_answer=approval.may_answer,
        actions=list_actions(approval.kind),
    )


def _summarize(run: Mapping[str, Any]) -> dict[str, Any]:
    error = run["error"]
    return {
        "run_id": run["id"],
        "workflow": run["workflowName"],
        "state": run["status"],
        "wait_reason": run["waitReason"],
        "created_at": run["createdAt"],
        "finished_at": run["finishedAt"],
        "error": None if error is None else error["message"],
    }
