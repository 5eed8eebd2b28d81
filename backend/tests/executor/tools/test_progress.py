"""Reports of running tools are masked and limited."""

from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.executor.tools.progress import (
    MAX_BURST,
    MAX_REPORTS,
    MAX_TEXT,
    ProgressLimiter,
    ToolProgress,
)

SECRET = "sk-canary-0123456789abcdef"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class TestProgressLimiter:
    def make(self) -> tuple[ProgressLimiter, list[ToolProgress], Clock]:
        seen: list[ToolProgress] = []
        clock = Clock()
        return ProgressLimiter(seen.append, TextMask([SECRET]), clock), seen, clock

    def test_masks_and_shortens(self) -> None:
        limiter, seen, _ = self.make()

        limiter(ToolProgress(f"With {SECRET} {'x' * 1000}", 1, 2))

        assert seen[0].text.startswith(f"With {MASK} x")
        assert (len(seen[0].text), seen[0].progress, seen[0].total) == (MAX_TEXT, 1, 2)

    def test_passes_a_few_at_once_and_then_one_a_second(self) -> None:
        limiter, seen, clock = self.make()

        for number in range(50):
            limiter(ToolProgress(str(number)))
        assert len(seen) == MAX_BURST

        clock.now += 2.5
        for number in range(50, 100):
            limiter(ToolProgress(str(number)))
        assert [report.text for report in seen[MAX_BURST:]] == ["50", "51"]

    def test_has_an_end(self) -> None:
        limiter, seen, clock = self.make()

        for _ in range(200):
            clock.now += 10
            limiter(ToolProgress("Still at it"))

        assert len(seen) == MAX_REPORTS
