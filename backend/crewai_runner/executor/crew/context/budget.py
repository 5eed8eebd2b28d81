"""Usage of a run measured against its budget."""

import threading
import time
from decimal import Decimal

from crewai_runner.domain.budget import Budget, BudgetLimit, find_reached_limit
from crewai_runner.domain.usage import Usage

WARNING_SHARE = 0.8


class BudgetTracker:
    """Counts calls, tokens, cost and seconds of a run, earlier attempts included. Thread-safe.

    A call counts from its first request on. Limits apply to the figures that the providers reported, and to
    the estimates added for those that they did not.
    """

    def __init__(self, budget: Budget, prior_usage: Usage, prior_seconds: float) -> None:
        self._lock = threading.Lock()
        self._budget = budget
        self._prior_usage = prior_usage
        self._prior_seconds = prior_seconds
        self._started_at = time.monotonic()
        self._usage = self._estimates = Usage()
        self._calls_started = self._last_number = prior_usage.llm_calls
        self._warned_limits = self._limits_above(WARNING_SHARE)

    def start_clock(self) -> None:
        """Start measuring the attempt's execution time."""
        self._started_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """Execution time of the run so far."""
        return self._prior_seconds + time.monotonic() - self._started_at

    def total_usage(self) -> Usage:
        """Return the run's usage so far."""
        with self._lock:
            return self._prior_usage.plus(self._usage)

    def reserve_call(self) -> int | BudgetLimit:
        """Return the number of the next model call, or the limit that forbids it."""
        with self._lock:
            limit = find_reached_limit(self._budget, self._measured_usage(), self.seconds)
            if limit is not None:
                return limit
            return self._count_call()

    def count_unreserved_call(self) -> int:
        """Return the number of a model call that CrewAI started without a reservation."""
        with self._lock:
            return self._count_call()

    def release_call(self) -> None:
        """Give back the reservation of a call for which no request was sent. Its number stays unused."""
        with self._lock:
            self._calls_started -= 1

    @property
    def limits_spending(self) -> bool:
        """Whether a limit of the budget depends on the model calls made."""
        budget = self._budget
        return any(limit is not None for limit in (budget.max_cost, budget.max_tokens, budget.max_llm_calls))

    def add_usage(self, usage: Usage) -> None:
        """Count a finished model call or tool call."""
        with self._lock:
            self._usage = self._usage.plus(usage)

    def add_estimate(self, tokens: Usage) -> None:
        """Count tokens and cost that no provider reported toward the limits, not as usage."""
        with self._lock:
            self._estimates = self._estimates.plus(tokens)

    def take_new_warnings(self) -> list[BudgetLimit]:
        """Return the limits used to 80 % since the last call; each is returned once per run."""
        with self._lock:
            new = [limit for limit in self._limits_above(WARNING_SHARE) if limit not in self._warned_limits]
            self._warned_limits += new
            return new

    def _count_call(self) -> int:
        self._calls_started += 1
        self._last_number = max(self._last_number + 1, self._calls_started)
        return self._last_number

    def _measured_usage(self) -> Usage:
        used = self._prior_usage.plus(self._usage).plus(self._estimates)
        return used.model_copy(update={"llm_calls": self._calls_started})

    def _limits_above(self, share: float) -> list[BudgetLimit]:
        budget, used = self._budget, self._measured_usage()
        cost = used.cost.amount if used.cost else None
        figures: tuple[tuple[BudgetLimit, Decimal | float | None, Decimal | float | None], ...] = (
            (BudgetLimit.COST, cost, budget.max_cost),
            (BudgetLimit.TOKENS, used.total_tokens, budget.max_tokens),
            (BudgetLimit.LLM_CALLS, used.llm_calls, budget.max_llm_calls),
            (BudgetLimit.SECONDS, self.seconds, budget.max_seconds),
        )
        return [
            limit
            for limit, amount, maximum in figures
            if amount and maximum and float(amount) >= share * float(maximum)
        ]
