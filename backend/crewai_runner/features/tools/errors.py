"""What can be wrong with tools."""

from collections.abc import Sequence

from crewai_runner.core.errors import Unprocessable
from crewai_runner.features.tools.sources import ToolProblem


class ToolsUnusable(Unprocessable):
    """A run names tools that it cannot use."""

    slug = "tools-unusable"
    title = "Tools unusable"

    def __init__(self, problems: Sequence[ToolProblem]) -> None:
        super().__init__(
            " ".join(problem.message for problem in problems)[:2000],
            errors=[{"pointer": None, "detail": problem.message} for problem in problems],
            problems=[
                {"code": problem.code, "tool": problem.tool, "remedy": problem.remedy} for problem in problems
            ],
        )
        self.tool_problems = tuple(problems)
