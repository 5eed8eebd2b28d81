"""Reports the execution of tasks, and puts back the outputs of tasks that an earlier attempt finished.

Tasks are patched in every version of crewai, with or without an event bus: the same place restores outputs.
"""

import asyncio
import functools
import hashlib
import re
import sys
import threading
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from .channel import channel
from .json_values import read_output, to_name, to_text

current_task: ContextVar[str | None] = ContextVar("crewai_runner_task", default=None)
STORE_SECONDS = 10.0
"""How long the end of a task waits for the host, whose database may be busy."""
_keys_by_id: dict[str, str] = {}
_uses: dict[str, int] = {}
_lock = threading.Lock()


def find_task_key(task_id: Any) -> str | None:
    """Return the key of the task with crewai's id, or else of the task that this context executes."""
    return _keys_by_id.get(str(task_id)) or current_task.get()


def patch_tasks(module: ModuleType) -> None:
    task = module.Task
    task._execute_core = _wrap(task._execute_core)
    if hasattr(task, "_aexecute_core"):
        task._aexecute_core = _wrap_async(task._aexecute_core)


def _wrap(execute: Any) -> Any:
    @functools.wraps(execute)
    def execute_core(self: Any, *args: Any, **kwargs: Any) -> Any:
        execution = TaskExecution(self, _find_agent(self, args, kwargs))
        restored = execution.restore()
        if restored is not None:
            return restored
        with execution:
            return execution.complete(execute(self, *args, **kwargs))

    return execute_core


def _wrap_async(execute: Any) -> Any:
    @functools.wraps(execute)
    async def execute_core(self: Any, *args: Any, **kwargs: Any) -> Any:
        execution = TaskExecution(self, _find_agent(self, args, kwargs))
        restored = execution.restore()
        if restored is not None:
            return restored
        with execution:
            output = await execute(self, *args, **kwargs)
            return await asyncio.to_thread(execution.complete, output)

    return execute_core


def _find_agent(task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return (args[0] if args else kwargs.get("agent")) or getattr(task, "agent", None)


class TaskExecution:
    """One execution of a task. As a context manager it reports the start and a failure."""

    def __init__(self, task: Any, agent: Any) -> None:
        self._task, self._agent = task, agent
        self._key = _allocate_key(task)
        self._hash = _hash_description(task)
        self._fields = {
            "task_key": self._key,
            "description_hash": self._hash,
            "agent": to_name(getattr(agent, "role", "") or ""),
        }

    def __enter__(self) -> None:
        self._token = current_task.set(self._key)
        channel.send("task.started", **self._fields, description=to_text(self._task.description, 20_000))

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        current_task.reset(self._token)
        if error is not None:
            message = f"{type(error).__name__}: {error}"
            channel.send("task.failed", **self._fields, message=to_text(message, 8000))

    def complete(self, output: Any) -> Any:
        """Report and return the output, once it is stored: it must not be paid for again after a crash."""
        raw, structured = read_output(output)
        fields = {**self._fields, "raw": raw, "json_output": structured}
        channel.send_and_wait("task.completed", STORE_SECONDS, **fields)
        return output

    def restore(self) -> Any:
        """Return the output of an earlier attempt as a TaskOutput, or None if the task must be executed."""
        for stored in channel.start().get("finished_tasks", ()):
            if stored["task_key"] == self._key and stored["description_hash"] == self._hash:
                return self._restore(stored)
        return None

    def _restore(self, stored: dict[str, Any]) -> Any:
        try:
            output = _build_output(self._task, self._agent, stored)
        except Exception:  # noqa: BLE001 -- whatever does not fit is executed again
            return None
        channel.send("task.reused", **self._fields)
        return output


def _build_output(task: Any, agent: Any, stored: dict[str, Any]) -> Any:
    raw, structured = stored["raw"], stored.get("json_output")
    pydantic = json_dict = None
    if getattr(task, "output_pydantic", None):
        model = task.output_pydantic
        pydantic = model.model_validate_json(raw) if structured is None else model.model_validate(structured)
    elif getattr(task, "output_json", None):
        json_dict = structured
    task.output = sys.modules["crewai.tasks.task_output"].TaskOutput(
        name=task.name,
        description=task.description,
        expected_output=task.expected_output,
        raw=raw,
        pydantic=pydantic,
        json_dict=json_dict,
        agent=str(getattr(agent, "role", "")),
        output_format=task._get_output_format(),
    )
    task.agent = agent
    if task.output_file:
        task._save_file(json_dict or raw)
    return task.output


def _allocate_key(task: Any) -> str:
    """Return the key of an execution of the task: its name or a part of its description, with a number.

    The same executions in the same order get the same keys in every attempt.
    """
    text = task.name or getattr(task, "_original_description", None) or task.description
    words = re.findall(r"\w+", text.lower())
    base = "-".join(words)[:48].rstrip("-_") or "task"
    with _lock:
        number = _uses[base] = _uses.get(base, 0) + 1
        key = base if number == 1 else f"{base}-{number}"
        _keys_by_id[str(task.id)] = key
    return key


def _hash_description(task: Any) -> str:
    text = f"{task.description}\0{task.expected_output}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
