"""How often something may be sent: a few times at once after a pause, then once per interval."""


class SendPace:
    """Counts sends as the generic cell rate algorithm does; times are seconds of one monotonic clock."""

    def __init__(self, interval: float, burst: int) -> None:
        """`burst` is how many sends may follow each other without a wait."""
        self._interval, self._burst = interval, burst
        self._next_due = 0.0
        """When the next send would be due if all were an interval apart."""

    def wait_seconds(self, now: float) -> float:
        """Return how long to wait before the next send; 0 if it may be sent now."""
        return max(0.0, self._next_due - now - self._interval * (self._burst - 1))

    def note_sent(self, now: float) -> None:
        self._next_due = max(self._next_due, now) + self._interval
