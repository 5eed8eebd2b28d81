"""Chooses the executor of each run: for crews, or for the code of projects."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from crewai_runner.executor.port import (
    EngineStatus,
    EventSink,
    Executor,
    ModelBinding,
    ModelCompletion,
    Outcome,
    RunControl,
    RunSpec,
)
from crewai_runner.executor.projects.executor import ProjectExecutor


class RoutingExecutor:
    """An `Executor`. Everything but the attempts of project runs goes to the executor of crews."""

    def __init__(self, crews: Executor, projects: ProjectExecutor) -> None:
        self.crews, self.projects = crews, projects

    async def load(self) -> None:
        await self.crews.load()

    def status(self) -> EngineStatus:
        return self.crews.status()

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        executor = self.crews if spec.project is None else self.projects
        return await executor.execute(spec, sink, control)

    async def complete(
        self,
        model: ModelBinding,
        messages: Sequence[Mapping[str, str]],
        on_text: Callable[[str], Awaitable[None]] | None = None,
    ) -> ModelCompletion:
        return await self.crews.complete(model, messages, on_text)

    async def embed(self, model: ModelBinding, texts: Sequence[str]) -> list[list[float]]:
        return await self.crews.embed(model, texts)

    async def close(self) -> None:
        await self.projects.close()
        await self.crews.close()
