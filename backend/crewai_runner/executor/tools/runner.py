"""The port behind which tools of one kind are called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.executor.run_files import RunFiles
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tool_requests import ToolQuestion
from crewai_runner.executor.tools.progress import OnProgress

SearchKnowledge = Callable[[str, int], Awaitable[list[str]]]
"""Returns pieces of text for a query, best first, at most a number of them."""


AskPerson = Callable[[ToolQuestion], Awaitable[dict[str, Any] | None]]
"""Returns the answer of a person, None if they refuse to answer. The time limit stands still meanwhile.

What it raises must end the call.
"""


class ToolCallFailed(Exception):
    """A call had no result; the message tells the model what was wrong and what it can do."""


@dataclass(frozen=True, slots=True)
class ToolEgress:
    """Where tools may connect to. `pages`: addresses that a model writes; `connections`: those of people."""

    pages: EgressPolicy
    connections: EgressPolicy


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Who makes a call. Outside of a run, such as when a person tries a tool, everything is None."""

    run_id: str | None = None
    task_key: str | None = None
    agent: str | None = None
    tool_call_id: str | None = None
    """As in the event `tool.started`."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a runner may use during one call."""

    egress: ToolEgress
    origin: CallOrigin = field(default_factory=CallOrigin)
    files: RunFiles | None = None
    """The files of the run; None outside of a run."""
    search_knowledge: SearchKnowledge | None = None
    """Searches the knowledge of the workflow; None if it has none."""
    on_progress: OnProgress | None = None
    """Receives what the tool reports while it runs; None if it is not shown to anyone."""
    ask_person: AskPerson | None = None
    """None where no one can answer, such as when a person tries a tool."""


class ToolRunner(Protocol):
    """Calls the tools of one `ToolKind`."""

    async def run(self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        """Make one call and return the result as text. The arguments match `binding.parameters`.

        Raises ToolCallFailed. Cancelling the task ends the call at once, also at the other side: nothing of
        it may go on. The caller limits time and size, and masks secrets.
        """
