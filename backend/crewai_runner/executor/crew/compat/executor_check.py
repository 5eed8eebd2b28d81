"""Checks that CrewAI's agent executor has the members that `AsyncAgentExecutor` calls and overrides."""

import inspect

from crewai.agents.agent_executor import AgentExecutor

ASYNC_STEPS = ("call_llm_and_parse", "call_llm_native_tools")
"""The steps of the agent loop that are replaced by coroutines."""
REQUIRED_MEMBERS = (
    *ASYNC_STEPS,
    "_create_initial_state",
    "_route_finish_with_todos",
    "_append_message_to_state",
    "_is_tool_call_list",
    "_downgrade_to_text_tool_calling",
    "_attach_usage_aggregation_listener",
    "_ainject_files_from_inputs",
    "recover_from_context_length",
    "ensure_force_final_answer",
    "invoke_async",
    "invoke",
)


def find_missing_members() -> str | None:
    """Describe the members that are missing; None when there are none."""
    missing = [name for name in REQUIRED_MEMBERS if not hasattr(AgentExecutor, name)]
    return f"the agent loop has no {', '.join(missing)}" if missing else None


def find_changed_step() -> str | None:
    """Describe a step of the loop that can no longer be replaced; None when all can."""
    steps = AgentExecutor.flow_definition().methods
    for name in ASYNC_STEPS:
        if name not in steps:
            return f"{name} is no longer a step of the loop"
        if inspect.iscoroutinefunction(getattr(AgentExecutor, name)):
            return f"{name} is already a coroutine"
    return None
