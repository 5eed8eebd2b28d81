"""Limits on failed sign-ins."""

from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.features.auth import rules
from crewai_runner.features.auth.rules import FailureBuckets


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def create_limiter(per_minute: int = 3) -> tuple[FailureBuckets, Clock]:
    clock = Clock()
    return FailureBuckets(per_minute, clock), clock


class TestFailureBuckets:
    def test_allows_a_burst_then_requires_a_wait(self) -> None:
        failures, _ = create_limiter(3)

        for _ in range(3):
            assert failures.get_wait_seconds("a") == 0
            failures.record_failure("a")

        assert failures.get_wait_seconds("a") == 20

    def test_reported_wait_is_long_enough(self) -> None:
        failures, clock = create_limiter(3)
        for _ in range(3):
            failures.record_failure("a")

        clock.seconds += failures.get_wait_seconds("a")

        assert failures.get_wait_seconds("a") == 0

    def test_addresses_are_limited_separately(self) -> None:
        failures, _ = create_limiter(1)
        failures.record_failure("a")

        assert failures.get_wait_seconds("a") > 0
        assert failures.get_wait_seconds("b") == 0

    def test_memory_is_bounded_and_the_oldest_client_is_dropped(self) -> None:
        failures, _ = create_limiter(1)
        for number in range(rules.MAX_CLIENTS + 1):
            failures.record_failure(str(number))

        assert len(failures._failures) == rules.MAX_CLIENTS
        assert failures.get_wait_seconds("0") == 0
        assert failures.get_wait_seconds(str(rules.MAX_CLIENTS)) > 0

    def test_count_of_other_processes_is_taken_over(self) -> None:
        failures, clock = create_limiter(3)
        failures.record_failure("a")

        failures.raise_to("a", 4.0)
        failures.raise_to("a", 2.0)

        assert failures.get_wait_seconds("a") == 40
        clock.seconds += 40
        assert failures.get_wait_seconds("a") == 0

    @given(st.lists(st.floats(0, 60), max_size=30), st.integers(1, 10))
    def test_never_allows_more_than_the_bucket_and_its_refill(
        self, pauses: list[float], per_minute: int
    ) -> None:
        failures, clock = create_limiter(per_minute)
        allowed = 0

        for pause in pauses:
            clock.seconds += pause
            if failures.get_wait_seconds("a") == 0:
                failures.record_failure("a")
                allowed += 1

        assert allowed <= per_minute + sum(pauses) * per_minute / 60 + 1
