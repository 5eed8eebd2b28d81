"""Time limits of an attempt."""

import asyncio

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.attempt.attempt import Attempt
from crewai_runner.executor.crew.context.budget import WARNING_SHARE
from crewai_runner.executor.port import Failed, RunSpec


class Deadline:
    """Ends an attempt when its timeout or its budget's seconds are used up, even during a single call.

    `passed` is set then. Create it in the event loop that waits for the attempt.
    """

    def __init__(self, spec: RunSpec, attempt: Attempt) -> None:
        loop = asyncio.get_running_loop()
        self.passed = asyncio.Event()
        self._attempt = attempt
        self._spec = spec
        self._timers: list[asyncio.TimerHandle] = []
        if spec.timeout_seconds is not None:
            left = max(0.0, spec.timeout_seconds - spec.timeout_seconds_used)
            self._timers.append(loop.call_later(left, self._on_timeout))
        if (budget := spec.budget.max_seconds) is not None:
            left = max(0.0, budget - spec.budget_seconds_used)
            self._timers.append(loop.call_later(left, self._on_out_of_budget))
            warning = max(0.0, WARNING_SHARE * budget - spec.budget_seconds_used)
            self._timers.append(loop.call_later(warning, attempt.emit_budget_warnings))

    def _on_timeout(self) -> None:
        failure = RunFailure(
            code="run-timeout",
            message=f"The run exceeded its time limit of {self._spec.timeout_seconds:g} seconds.",
            hint="Resume it to continue with the full time limit; the timeline shows what took the time.",
        )
        self._attempt.end(Failed(failure))
        self.passed.set()

    def _on_out_of_budget(self) -> None:
        self._attempt.end_out_of_time()
        self.passed.set()

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
