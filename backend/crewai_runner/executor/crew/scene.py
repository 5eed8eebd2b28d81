"""Who is at work, carried by the context so that it reaches every thread and task of a run."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crewai_runner.executor.crew.attempt import Attempt


@dataclass(frozen=True, slots=True)
class Scene:
    """The task at hand and the agent it was given to."""

    task_key: str | None = None
    agent: str | None = None


scene: ContextVar[Scene] = ContextVar("scene", default=Scene())  # noqa: B039 - frozen
attempt: ContextVar["Attempt | None"] = ContextVar("attempt", default=None)
reserved: ContextVar[int | None] = ContextVar("reserved", default=None)
"""The number of a model call that was let through and has not begun yet."""
