"""Time limits that hold on any machine: relative to a fixed piece of work, measured at the same moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

ROUNDS = 5
IDLE_SECONDS = 0.006
"""The time that `measure_slowdown` takes on an idle machine of 2025."""


def measure_work_unit() -> float:
    """Return the CPU seconds of a fixed piece of work: about 0.006 on a machine of 2025."""
    return min(_measure_once() for _ in range(ROUNDS))


def measure_slowdown() -> float:
    """Return how many times longer work takes now than on an idle machine of 2025; at least 1.

    Unlike `measure_work_unit` it counts the time in which other processes have the CPU.
    """
    started = time.perf_counter()
    _work()
    return max(1.0, (time.perf_counter() - started) / IDLE_SECONDS)


@contextmanager
def cpu_limit(units: float) -> Iterator[None]:
    """Fail if the block takes more CPU time than so many work units, measured before and after it."""
    before = measure_work_unit()
    started = time.process_time()
    yield
    spent = time.process_time() - started
    unit = max(before, measure_work_unit())
    assert spent < units * unit, (
        f"{spent:.3f} CPU seconds are {spent / unit:.1f} work units, more than {units:g}"
    )


def _measure_once() -> float:
    started = time.process_time()
    _work()
    return time.process_time() - started


def _work() -> None:
    sum(number * number % 7 for number in range(100_000))
