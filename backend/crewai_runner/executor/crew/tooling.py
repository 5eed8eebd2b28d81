"""Tool use and delegation, told."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain import run_events as told
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.cast import Cast
from crewai_runner.executor.crew.limits import Spending
from crewai_runner.executor.crew.story import Story

_DELEGATION = frozenset({"delegate_work_to_coworker", "ask_question_to_coworker"})


@dataclass
class Use:
    """A tool at work. `to` is the coworker when the tool is delegation."""

    use_id: str
    tool: str
    task_key: str | None
    agent: str | None
    began: float
    to: str | None = None

    @property
    def duration_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)


class Tooling:
    """Tells of tools and delegation from the engine's tool events. Thread-safe."""

    def __init__(self, story: Story, cast: Cast, spending: Spending) -> None:
        self._story = story
        self._cast = cast
        self._spending = spending
        self._lock = threading.Condition()
        self._uses: dict[str, Use] = {}

    @property
    def open(self) -> list[str]:
        """The tools at work, described."""
        with self._lock:
            return [f"tool '{use.tool}' of agent '{use.agent}'" for use in self._uses.values()]

    def wait(self, seconds: float) -> None:
        """Block until no tool is at work, at most so long."""
        with self._lock:
            self._lock.wait_for(lambda: not self._uses, seconds)

    def started(self, event: Any) -> None:
        now = scene.scene.get()
        arguments = plain(event.tool_args)
        use = Use(
            use_id=event.event_id,
            tool=event.tool_name,
            task_key=now.task_key,
            agent=self._cast.key(event.agent_id) or now.agent,
            began=time.monotonic(),
            to=self._coworker(event.tool_name, arguments),
        )
        with self._lock:
            self._uses[use.use_id] = use
        if use.to is not None:
            data = {"to": use.to, "tool_call_id": use.use_id, "request": _request(arguments)}
            self._tell(use, told.DelegationStarted, data)
        else:
            data = {"tool": use.tool, "tool_call_id": use.use_id, "arguments": arguments}
            self._tell(use, told.ToolStarted, data)

    def finished(self, event: Any) -> None:
        failure = getattr(event, "failure", None)
        if failure is not None:
            self._ended(event, message=str(failure.message))
            return
        self._ended(event, output=_output(event.output), from_cache=bool(event.from_cache))

    def failed(self, event: Any) -> None:
        self._ended(event, message=str(event.error))

    def refused(self, tool: str) -> None:
        """Forget the latest use of a tool that was not let begin."""
        with self._lock:
            same = [one for one in self._uses.values() if one.tool == tool]
            if same:
                del self._uses[same[-1].use_id]
            self._lock.notify_all()

    def _ended(
        self, event: Any, *, output: str | None = None, message: str = "", from_cache: bool = False
    ) -> None:
        use = self._take(event)
        if use is None:
            return
        self._spending.add(Usage(tool_calls=1))
        known: dict[str, Any] = {"tool_call_id": use.use_id}
        if use.to is not None:
            said = message if output is None else output
            self._tell(use, told.DelegationCompleted, {**known, "to": use.to, "output": said})
            return
        known |= {"tool": use.tool, "duration_ms": use.duration_ms}
        if output is None:
            self._tell(use, told.ToolFailed, {**known, "message": message})
        else:
            self._tell(use, told.ToolCompleted, {**known, "output": output, "from_cache": from_cache})

    def _take(self, event: Any) -> Use | None:
        with self._lock:
            use = self._uses.pop(event.started_event_id, None)
            if use is None:
                same = [one for one in self._uses.values() if one.tool == event.tool_name]
                use = self._uses.pop(same[-1].use_id) if same else None
            self._lock.notify_all()
        return use

    def _coworker(self, tool: str, arguments: Any) -> str | None:
        if _name(tool) not in _DELEGATION:
            return None
        given = arguments if isinstance(arguments, dict) else {}
        return self._cast.key_for_role(str(given.get("coworker") or given.get("co_worker") or ""))

    def _tell(self, use: Use, kind: Any, data: dict[str, Any]) -> None:
        self._story.tell(kind, data, task_key=use.task_key, agent=use.agent)


def plain(value: Any) -> Any:
    """The value as plain JSON: parsed when it is JSON text, described when it is neither."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    try:
        return json.loads(json.dumps(value, default=str))
    except ValueError:
        return str(value)


def _name(tool: str) -> str:
    return tool.strip().lower().replace(" ", "_")


def _request(arguments: Any) -> str:
    given = arguments if isinstance(arguments, dict) else {}
    return str(given.get("task") or given.get("question") or "")


def _output(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
