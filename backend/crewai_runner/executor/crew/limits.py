"""What an attempt may spend and how fast it may ask."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from decimal import Decimal

from crewai_runner.domain.budget import Budget, BudgetLimit, find_reached_limit
from crewai_runner.domain.usage import Cost, Usage

WARN_AT = 0.8


class Spending:
    """Counts calls, tokens, money and time of a run, earlier attempts included. Thread-safe.

    A figure that a provider did not report is unknown in `total()`; for the limits the known part
    counts, because what is known to be spent is spent.
    """

    def __init__(self, budget: Budget, spent: Usage, seconds_spent: float) -> None:
        self._lock = threading.Lock()
        self._budget = budget
        self._spent = spent
        self._seconds_spent = seconds_spent
        self._started = time.monotonic()
        self._used = Usage()
        self._known = _known(spent)
        self._begun = spent.llm_calls
        self._warned = self._over(WARN_AT)

    def start(self) -> None:
        """Time at work counts from here."""
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time at work of the run so far."""
        return self._seconds_spent + time.monotonic() - self._started

    @property
    def seconds_left(self) -> float | None:
        limit = self._budget.max_seconds
        return None if limit is None else max(0.0, limit - self.seconds)

    def total(self) -> Usage:
        """What the run used so far, earlier attempts included."""
        with self._lock:
            return self._spent.plus(self._used)

    def begin_call(self) -> int | BudgetLimit:
        """The number of the model call that may begin now, or the limit that forbids it."""
        with self._lock:
            limit = find_reached_limit(self._budget, self._measured(), self.seconds)
            if limit is not None:
                return limit
            self._begun += 1
            return self._begun

    def next_number(self) -> int:
        """The number of a model call that nothing asked leave for."""
        with self._lock:
            self._begun += 1
            return self._begun

    def add(self, usage: Usage) -> None:
        """Count a finished call or tool use."""
        with self._lock:
            self._used = self._used.plus(usage)
            self._known = self._known.plus(_known(usage))

    def new_warnings(self) -> list[BudgetLimit]:
        """The limits newly used to four fifths, each told once per run."""
        with self._lock:
            fresh = [limit for limit in self._over(WARN_AT) if limit not in self._warned]
            self._warned += fresh
            return fresh

    def _measured(self) -> Usage:
        return self._known.model_copy(update={"llm_calls": self._begun})

    def _over(self, share: float) -> list[BudgetLimit]:
        budget, used = self._budget, self._measured()
        cost = used.cost.amount if used.cost else None
        pairs: tuple[tuple[BudgetLimit, Decimal | float | None, Decimal | float | None], ...] = (
            (BudgetLimit.COST, cost, budget.max_cost),
            (BudgetLimit.TOKENS, used.total_tokens, budget.max_tokens),
            (BudgetLimit.LLM_CALLS, used.llm_calls, budget.max_llm_calls),
            (BudgetLimit.SECONDS, self.seconds, budget.max_seconds),
        )
        return [
            limit for limit, spent, most in pairs if spent and most and float(spent) >= share * float(most)
        ]


def _known(usage: Usage) -> Usage:
    """The usage with unknown figures counted as nothing."""
    no_cost = Cost(amount=Decimal(0), currency=usage.cost.currency if usage.cost else "USD")
    return Usage(
        prompt_tokens=usage.prompt_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        cached_tokens=usage.cached_tokens or 0,
        total_tokens=usage.total_tokens or 0,
        llm_calls=usage.llm_calls,
        tool_calls=usage.tool_calls,
        cost=usage.cost or (no_cost if usage.llm_calls else None),
    )


class Pace:
    """At most so many model calls in any minute. Thread-safe; a wait ends when its task is cancelled."""

    def __init__(
        self, per_minute: int, *, window: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._per_minute = per_minute
        self._window = window
        self._clock = clock
        self._turns: deque[float] = deque(maxlen=per_minute)

    def reserve(self) -> float:
        """Take the next turn; returns the seconds to wait for it."""
        with self._lock:
            at = now = self._clock()
            if len(self._turns) == self._per_minute:
                at = max(now, self._turns[0] + self._window)
            self._turns.append(at)
            return at - now

    async def turn(self) -> None:
        """Wait for the next turn."""
        if (wait := self.reserve()) > 0:
            await asyncio.sleep(wait)
