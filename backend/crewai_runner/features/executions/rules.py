"""Pure functions of run execution."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from crewai_runner.domain.agent_names import MANAGER, addressable_agents
from crewai_runner.domain.run import RunResult, RunState, TaskResult, TaskState
from crewai_runner.domain.tool_policy import ToolLimit
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.port import EngineStatus
from crewai_runner.executor.tool_rules import ToolRules
from crewai_runner.features.runs.errors import RunNotResumable
from crewai_runner.features.runs.schemas import RunTaskRead

TOOL_RESULT_PREFIX = "tool:"
"""Of the names of checkpoints that hold results of tools."""
DONE = frozenset({TaskState.COMPLETED, TaskState.REUSED})
PROJECT_ENGINE = "project"
AgentActivity = Literal["idle", "working", "completed", "failed"]


def progress(tasks: Sequence[RunTaskRead]) -> int:
    """Finished tasks in percent of all, rounded down."""
    return 100 * sum(task.status in DONE for task in tasks) // max(len(tasks), 1)


def agent_states(
    definition: WorkflowDefinition, tasks: Sequence[RunTaskRead]
) -> list[tuple[str, AgentActivity, str | None]]:
    """(agent key, activity, current task key) of each agent, derived from the tasks."""
    return [
        _agent_state(agent.key, [t for t in tasks if t.agent == agent.key]) for agent in definition.agents
    ]


def _agent_state(key: str, tasks: Sequence[RunTaskRead]) -> tuple[str, AgentActivity, str | None]:
    active = next((t for t in tasks if t.status in (TaskState.RUNNING, TaskState.WAITING)), None)
    if active is not None:
        return key, "working", active.key
    failed = next((t for t in tasks if t.status is TaskState.FAILED), None)
    if failed is not None:
        return key, "failed", failed.key
    activity: AgentActivity = "completed" if tasks and all(t.status in DONE for t in tasks) else "idle"
    return key, activity, None


def name_engine(engine: EngineStatus, project_id: str | None) -> tuple[str, bool]:
    """Return the name of what executes a run, and whether a stop cancels its model calls in progress.

    A project brings its own version of CrewAI; its calls pass through the model gateway.
    """
    if project_id is not None:
        return PROJECT_ENGINE, True
    return f"{engine.name} {engine.version or ''}".strip(), engine.native


def result_when_all_done(
    definition: WorkflowDefinition, finished: Mapping[str, TaskResult]
) -> RunResult | None:
    """The run's result if every task is finished (the last one was approved), else None."""
    # The tasks of a project are not known before it has run.
    if not definition.tasks or any(task.key not in finished for task in definition.tasks):
        return None
    last = finished[definition.tasks[-1].key]
    outputs = {task.key: finished[task.key] for task in definition.tasks}
    return RunResult(raw=last.raw, json_output=last.json_output, tasks=outputs)


def reused_before(
    definition: WorkflowDefinition, finished: Mapping[str, TaskResult], from_task: str
) -> dict[str, TaskResult]:
    """The finished outputs of the tasks that come before `from_task`."""
    keys = [task.key for task in definition.tasks]
    return {key: finished[key] for key in keys[: keys.index(from_task)] if key in finished}


def speaking_model(definition: WorkflowDefinition, agent: str | None) -> str | None:
    """The model of the given agent, or the first the workflow names; None for the workspace's default."""
    if agent == MANAGER and MANAGER in addressable_agents(definition):
        own = definition.manager_model
    elif agent is not None:
        own = next((one.model for one in definition.agents if one.key == agent), None)
    else:
        own = next(iter(definition.model_choices()), None)
    return None if own is None else own.name


def warn_of_unmapped_models(
    named: Sequence[str], model_map: Mapping[str, str], registered: Collection[str], default: str | None
) -> list[str]:
    """Return warnings about models that the code of a project names and that are not mapped."""
    unmapped = [name for name in named if name not in model_map and name not in registered]
    if model_map.get("*") is not None:
        return []
    if default is None:
        return ["No default model is registered: calls of models that are not mapped will fail."]
    if not unmapped:
        return []
    names = ", ".join(f"`{name}`" for name in unmapped)
    return [f"The default model `{default}` answers for models that are not mapped: {names}."]


def check_resumable(state: RunState, wait_reason: str | None) -> None:
    """Raise RunNotResumable unless a run in this state can continue."""
    if state in (RunState.FAILED, RunState.STOPPED, RunState.CRASHED):
        return
    if state is RunState.WAITING and wait_reason == "budget":
        return
    if state is RunState.WAITING:
        raise RunNotResumable("The run waits for an approval; resolve the approval instead.", state=state)
    raise RunNotResumable(
        f"A {state} run cannot be resumed, only a failed, stopped, crashed or out-of-budget run.", state=state
    )


def make_tool_rules(tool: str, definition: WorkflowDefinition) -> ToolRules:
    """Return the rules of a tool in the runs of a workflow."""
    by_agent = {
        agent.key: agent.tool_policy[tool] for agent in definition.agents if tool in agent.tool_policy
    }
    limit = definition.tool_limits.get(tool, ToolLimit())
    return ToolRules(definition.tool_policy.get(tool), by_agent, limit.calls, limit.per_minute)


def read_tool_results(checkpoints: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the results of calls that earlier attempts have left, by key."""
    return {
        name.removeprefix(TOOL_RESULT_PREFIX): str(value.get("text", ""))
        for name, value in checkpoints.items()
        if name.startswith(TOOL_RESULT_PREFIX)
    }


def key_owner(fencing_token: int | None) -> str:
    """The owner of an attempt's keys in the secret mask."""
    return f"attempt:{fencing_token}"
