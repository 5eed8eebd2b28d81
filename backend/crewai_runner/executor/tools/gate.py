"""Decides before each call of a run's tools: by policy and limits, by a person, or by an earlier result.

A task that is interrupted starts again, and its model asks for the same calls. A call is recognised by its
task, tool, arguments, and how many calls like it the task has made before: what a person decided about it
holds, and the result of a call that writes is used again instead of making it twice.
"""

import asyncio
import hashlib
import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.executor.run_control import RunControl
from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect
from crewai_runner.executor.tool_requests import (
    ToolAction,
    ToolDecision,
    ToolQuestion,
    ToolRequest,
    ToolResult,
)
from crewai_runner.executor.tools.runner import CallOrigin, ToolCallFailed

CHECK_SECONDS = 0.5
MINUTE = 60.0
MAX_KEPT_RESULT = 100_000


class ToolWaitOver(BaseException):
    """A person has not decided within the time that the attempt waits: it ends, and the run waits."""

    def __init__(self, request: ToolRequest) -> None:
        super().__init__(request.tool)
        self.request = request


class ToolRequestExpired(BaseException):
    """No one has decided before the deadline of the approval: the run fails."""

    def __init__(self, request: ToolRequest) -> None:
        super().__init__(request.tool)
        self.request = request


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may be made with these arguments, or its result from an earlier attempt."""

    key: str
    arguments: dict[str, Any]
    result: str | None = None


@dataclass(slots=True)
class ToolGate:
    """Of one attempt. Thread-safe. `results` are those of earlier attempts, by key.

    An attempt waits for a person for `wait_seconds`, and longer while other tasks have work:
    `has_other_work` receives the number of calls that wait.
    """

    control: RunControl
    wait_seconds: float = 600.0
    has_other_work: Callable[[int], bool] = lambda _waiting: False
    results: Mapping[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _repetitions: Counter[str] = field(default_factory=Counter)
    _calls: Counter[str] = field(default_factory=Counter)
    _times: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _allowed: set[str] = field(default_factory=set)
    _waiting: int = 0

    async def admit(self, binding: ToolBinding, arguments: dict[str, Any], origin: CallOrigin) -> Admission:
        """Return how the call may be made.

        Raises ToolCallFailed with a message for the model, ToolWaitOver and ToolRequestExpired.
        """
        writes = binding.effect is ToolEffect.WRITE
        policy = binding.rules.find_policy(origin.agent, writes=writes)
        if policy == "deny":
            raise ToolCallFailed(
                f"{binding.name} may not be called: the workflow denies it. Continue without it."
            )
        key = self._make_key(binding, arguments, origin)
        if (result := self.results.get(key)) is not None:
            return Admission(key, arguments, result)
        if policy == "ask" and binding.name not in self._allowed:
            arguments = await self._ask(binding, key, arguments, origin)
        self._count(binding)
        return Admission(key, arguments)

    async def ask_question(
        self, binding: ToolBinding, question: ToolQuestion, origin: CallOrigin
    ) -> dict[str, Any] | None:
        """Ask a person what a tool wants to know during a call; None if they refuse to answer.

        A later attempt gets the same answer. Raises ToolWaitOver and ToolRequestExpired.
        """
        key = self._make_key(binding, {"question": question.text, "form": question.parameters}, origin)
        where = (origin.task_key, origin.agent, origin.tool_call_id)
        request = ToolRequest(key, binding.name, {}, *where, dict(question.parameters), question.text)
        decision = await self._wait(request, self.control.ask_for_tool(request))
        if decision.action is ToolAction.EXPIRED:
            raise ToolRequestExpired(request)
        return None if decision.action is ToolAction.DENY else decision.arguments or {}

    async def record(self, binding: ToolBinding, admission: Admission, result: str) -> None:
        """Store the result of a call that writes, before the model sees it."""
        if binding.effect is ToolEffect.WRITE:
            kept = ToolResult(admission.key, binding.name, result[:MAX_KEPT_RESULT])
            await asyncio.wrap_future(self.control.save_tool_result(kept))

    def _make_key(self, binding: ToolBinding, arguments: dict[str, Any], origin: CallOrigin) -> str:
        asked = json.dumps([origin.task_key, binding.name, arguments], sort_keys=True, default=str)
        with self._lock:
            number = self._repetitions[asked]
            self._repetitions[asked] += 1
        return hashlib.sha256(f"{number}\0{asked}".encode("utf-8", "replace")).hexdigest()

    async def _ask(
        self, binding: ToolBinding, key: str, arguments: dict[str, Any], origin: CallOrigin
    ) -> dict[str, Any]:
        request = ToolRequest(
            key,
            binding.name,
            arguments,
            origin.task_key,
            origin.agent,
            origin.tool_call_id,
            dict(binding.parameters),
        )
        decision = await self._wait(request, self.control.ask_for_tool(request))
        if decision.action is ToolAction.EXPIRED:
            raise ToolRequestExpired(request)
        if decision.action is ToolAction.DENY:
            reason = f" They say: {decision.feedback}" if decision.feedback else ""
            raise ToolCallFailed(f"A person has refused this call of {binding.name}.{reason}")
        if decision.for_run:
            self._allowed.add(binding.name)
        return arguments if decision.arguments is None else decision.arguments

    async def _wait(self, request: ToolRequest, asked: Future[ToolDecision]) -> ToolDecision:
        decided = asyncio.wrap_future(asked)
        deadline = time.monotonic() + self.wait_seconds
        self._add_waiting(1)
        try:
            while not decided.done():
                await asyncio.wait([decided], timeout=min(CHECK_SECONDS, self.wait_seconds))
                is_late = time.monotonic() >= deadline
                if is_late and not decided.done() and not self.has_other_work(self._waiting):
                    raise ToolWaitOver(request)
            return decided.result()
        finally:
            self._add_waiting(-1)
            decided.cancel()

    def _add_waiting(self, number: int) -> None:
        with self._lock:
            self._waiting += number

    def _count(self, binding: ToolBinding) -> None:
        """Count a call. Raises ToolCallFailed above a limit."""
        rules, now = binding.rules, time.monotonic()
        with self._lock:
            times = self._times[binding.name]
            while times and times[0] <= now - MINUTE:
                times.popleft()
            if rules.max_calls is not None and self._calls[binding.name] >= rules.max_calls:
                raise ToolCallFailed(
                    f"{binding.name} may be called {rules.max_calls} times in a run, and has been. "
                    "Continue with what you have."
                )
            if rules.max_calls_per_minute is not None and len(times) >= rules.max_calls_per_minute:
                seconds = max(1, round(times[0] + MINUTE - now))
                raise ToolCallFailed(
                    f"{binding.name} may be called {rules.max_calls_per_minute} times a minute. "
                    f"Try again in {seconds} seconds."
                )
            self._calls[binding.name] += 1
            times.append(now)
