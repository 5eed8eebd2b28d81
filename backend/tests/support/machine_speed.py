"""Time limits that hold on any machine: relative to a fixed piece of work, measured at the same moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

ROUNDS = 5


def measure_work_unit() -> float:
    """Return the CPU seconds of a fixed piece of work: about 0.006 on a machine of 2025."""
    return min(_measure_once() for _ in range(ROUNDS))


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
    sum(number * number % 7 for number in range(100_000))
    return time.process_time() - started
