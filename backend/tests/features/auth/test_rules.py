"""Failed sign-ins: many close the door for a while, time opens it again."""

from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.features.auth import rules
from crewai_runner.features.auth.rules import SignInFailureLimiter


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def limit(per_minute: int = 3) -> tuple[SignInFailureLimiter, Clock]:
    clock = Clock()
    return SignInFailureLimiter(per_minute, clock), clock


def test_some_failures_may_come_at_once_then_the_door_is_shut() -> None:
    failures, _ = limit(3)

    for _ in range(3):
        assert failures.get_wait_seconds("a") == 0
        failures.record_failure("a")

    assert failures.get_wait_seconds("a") == 20


def test_each_wait_that_was_told_is_long_enough() -> None:
    failures, clock = limit(3)
    for _ in range(3):
        failures.record_failure("a")

    clock.seconds += failures.get_wait_seconds("a")

    assert failures.get_wait_seconds("a") == 0


def test_one_address_does_not_shut_the_door_for_another() -> None:
    failures, _ = limit(1)
    failures.record_failure("a")

    assert failures.get_wait_seconds("a") > 0
    assert failures.get_wait_seconds("b") == 0


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    failures, _ = limit(1)
    for number in range(rules.MAX_CLIENTS + 1):
        failures.record_failure(str(number))

    assert len(failures._failures) == rules.MAX_CLIENTS
    assert failures.get_wait_seconds("0") == 0
    assert failures.get_wait_seconds(str(rules.MAX_CLIENTS)) > 0


@given(st.lists(st.floats(0, 60), max_size=30), st.integers(1, 10))
def test_never_more_failures_than_the_bucket_and_its_refill(pauses: list[float], per_minute: int) -> None:
    failures, clock = limit(per_minute)
    let_in = 0

    for pause in pauses:
        clock.seconds += pause
        if failures.get_wait_seconds("a") == 0:
            failures.record_failure("a")
            let_in += 1

    assert let_in <= per_minute + sum(pauses) * per_minute / 60 + 1
