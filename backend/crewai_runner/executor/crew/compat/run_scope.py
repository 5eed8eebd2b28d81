"""CrewAI's context variables for one run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from crewai.core.providers.human_input import set_provider
from crewai.events.event_context import EventContextConfig, MismatchBehavior, _event_context_config
from crewai.events.stream_context import add_stream_sink
from crewai.execution import set_execution_uuid
from crewai.hooks.dispatch import InterceptionPoint, scoped_hooks
from crewai_core.printer import set_suppress_console_output

from crewai_runner.executor.crew.compat.revision_provider import RevisionProvider
from crewai_runner.executor.port import Revision

OnEvent = Callable[[Any, Any], None]
"""Receives the source and the CrewAI event, in the thread that emitted it."""
Hook = Callable[[Any], None]


def enter_run(run_id: str, on_event: OnEvent, revision: Revision | None) -> None:
    """Set up the current context for a run."""
    set_execution_uuid(run_id)
    set_provider(RevisionProvider(revision))
    listen_to_events(on_event)


def listen_to_events(on_event: OnEvent) -> None:
    """Pass the events of the current context to `on_event`, and print none of them."""
    set_suppress_console_output(True)
    # A cancelled run leaves start events without an end event; CrewAI would print a warning for each.
    silent = EventContextConfig(
        mismatch_behavior=MismatchBehavior.SILENT, empty_pop_behavior=MismatchBehavior.SILENT
    )
    _event_context_config.set(silent)
    add_stream_sink(on_event)


def call_hooks(*, before_model_call: Hook, before_tool_call: Hook) -> AbstractContextManager[None]:
    """Call the hooks before every model call and tool call made inside the context."""
    hooks = {
        InterceptionPoint.PRE_MODEL_CALL: [before_model_call],
        InterceptionPoint.PRE_TOOL_CALL: [before_tool_call],
    }
    scope: AbstractContextManager[None] = scoped_hooks(hooks)
    return scope
