"""CrewAI's delegation tools: finding the coworker that a model means, and reporting failures.

CrewAI compares names with roles only, and returns its errors as if they were the coworker's answer.
"""

import importlib
from typing import Any

from crewai_runner.domain.agent_names import find_name, normalize_name
from crewai_runner.executor.crew.context.run_context import RunContext, current_run


def replace_delegation() -> None:
    """Replace CrewAI's execution of delegated work for runs of the product, and its count of delegations."""
    tools = importlib.import_module("crewai.tools.agent_tools.base_agent_tools")
    original = tools.BaseAgentTool._execute

    def execute(tool: Any, agent_name: str | None, task: str, context: str | None = None) -> str:
        run = current_run.get()
        if run is None:
            return str(original(tool, agent_name, task, context))
        coworker = _find_coworker(tool.agents, agent_name or "", run)
        if coworker is None:
            message = str(original(tool, "", task, context))
            run.fail_delegation(message)
            return message
        work = tools.Task(
            description=task,
            agent=coworker,
            expected_output=tools.I18N_DEFAULT.slice("manager_request"),
        )
        try:
            return str(coworker.execute_task(work, context))
        except Exception as error:  # noqa: BLE001 - CrewAI tells the model about it
            run.fail_delegation(str(error))
            template = tools.I18N_DEFAULT.errors("agent_tool_execution_error")
            return str(template.format(agent_role=coworker.role, error=error))

    tools.BaseAgentTool._execute = execute
    count = tools.Task.increment_delegations

    def increment_delegations(task: Any, agent_name: Any) -> None:
        # CrewAI adds the argument to a set before it checks that it is text.
        count(task, agent_name if isinstance(agent_name, str) else None)

    tools.Task.increment_delegations = increment_delegations


def _find_coworker(agents: list[Any], name: str, run: RunContext) -> Any:
    """Return the agent whose role or key is meant; of several with one role the first."""
    ids: dict[str, str] = {}
    for agent in agents:
        ids.setdefault(normalize_name(str(agent.role)), str(agent.id))
    for agent in agents:
        key = run.agent_key(str(agent.id))
        if key is not None:
            ids.setdefault(normalize_name(key), str(agent.id))
    found = find_name(name, ids.items())
    return next((agent for agent in agents if str(agent.id) == found), None)
