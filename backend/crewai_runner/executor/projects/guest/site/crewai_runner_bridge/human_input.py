"""Replaces input from a terminal by questions to the host.

Every version of crewai calls the builtin `input`. The frames above the call say what is asked for.
"""

import asyncio
import builtins
import contextlib
import sys
from types import FrameType, ModuleType
from typing import Any

from .channel import channel
from .json_values import to_text
from .task_patches import current_task

MAX_FRAMES = 25
_REVIEW_FILES = ("base_agent_executor_mixin.py", "core/providers/human_input.py")
_ANSWER_NAMES = ("final_answer", "formatted_answer", "answer", "output")


def replace_input() -> None:
    builtins.input = read_answer


def patch_async_input(module: ModuleType) -> None:
    """From 1.10 on, async crews read standard input themselves."""
    if hasattr(module, "_async_readline"):
        setattr(module, "_async_readline", _read_answer_async)  # noqa: B010


def read_answer(prompt: object = "", /) -> str:
    """Ask the host, as `input` asks the terminal. Raises EOFError if no one can answer."""
    question = describe_question(prompt, sys._getframe(1))
    if question["kind"] == "trace":
        return "n"
    if prompt:
        with contextlib.suppress(Exception):
            sys.stdout.write(f"{prompt}\n")
            sys.stdout.flush()
    return channel.ask(**question)


async def _read_answer_async() -> str:
    question = describe_question("", sys._getframe(1))
    return await asyncio.to_thread(channel.ask, **question)


def describe_question(prompt: object, frame: FrameType | None) -> dict[str, Any]:
    """Return the kind of a question, its prompt, and the output it is about.

    Kinds: `review` (a task's human_input), `feedback` (of a flow), `trace` (crewai offers to show traces),
    `input` (the project's own code).
    """
    frames: list[FrameType] = []
    while frame is not None and len(frames) < MAX_FRAMES:
        frames.append(frame)
        frame = frame.f_back
    path = frames[0].f_code.co_filename.replace("\\", "/") if frames else ""
    kind = _find_kind(path)
    output: object = ""
    if kind == "review":
        output = _find_local(frames, _ANSWER_NAMES)
        output = getattr(output, "output", None) or getattr(output, "raw", None) or output
    elif kind == "feedback":
        context = _find_local(frames, ("context",))
        output = getattr(context, "method_output", "") or _find_local(frames, ("output",))
        prompt = getattr(context, "message", "") or _find_local(frames, ("message",)) or prompt
    return {
        "kind": kind,
        "task_key": current_task.get(),
        "prompt": to_text(prompt, 8000),
        "output": to_text(output),
    }


def _find_kind(path: str) -> str:
    if "/crewai/" not in path:
        return "input"
    if path.endswith(_REVIEW_FILES):
        return "review"
    if "/events/listeners/tracing/" in path:
        return "trace"
    return "feedback" if "/crewai/flow/" in path else "input"


def _find_local(frames: list[FrameType], names: tuple[str, ...]) -> object:
    """Return the nearest local variable of crewai's code with one of the names, or an empty text."""
    for frame in frames:
        if "/crewai/" not in frame.f_code.co_filename.replace("\\", "/"):
            continue
        for name in names:
            value = frame.f_locals.get(name)
            if value:
                return value
    return ""
