"""The resources that all benchmarks share."""

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.servers import CrewAiProcess, FastApiServer, ProductServer
from benchmarks.table import Row
from tests.support.scripted_provider import ProviderProcess, Rule


class Bench:
    """The scripted provider, temporary folders, and the processes that are slow to start.

    An idle CrewAI process uses no CPU, so each one is started once and kept.
    """

    def __init__(self, provider: ProviderProcess, folder: Path, quick: bool) -> None:
        self.provider = provider
        self.quick = quick
        self._folders = (folder / str(number) for number in count(1))
        self._exit_stack = ExitStack()
        self._crews: dict[str, CrewAiProcess] = {}
        self._product: ProductServer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_product()
        self._exit_stack.close()

    def new_folder(self) -> Path:
        return next(self._folders)

    async def start_product(self) -> ProductServer:
        """Return the product's server, started on first use, with a model and one completed run."""
        if self._product is None:
            self.script()
            self._product = ProductServer(self.new_folder())
            await self._product.connect(self.provider.base_url)
        return self._product

    def stop_product(self) -> None:
        """Stop the product's server, so that it does not disturb the next measurement."""
        if self._product is not None:
            self._product.__exit__()
            self._product = None

    def start_fastapi(self, rows: int = 1000) -> FastApiServer:
        return FastApiServer(self.new_folder(), self.provider.base_url, rows)

    def start_crewai(self, mode: str) -> CrewAiProcess:
        """Return a process that runs plain CrewAI in this mode, started on first use."""
        if mode not in self._crews:
            self.script()
            crews = CrewAiProcess(mode, self.provider.base_url, self.new_folder())
            self._crews[mode] = self._exit_stack.enter_context(crews)
        return self._crews[mode]

    def script(self, *rules: Rule, delay_ms: float = 0) -> None:
        """Reset the provider and set its rules and the delay of each call."""
        self.provider.reset()
        self.provider.script(rules, delayMs=delay_ms)


Benchmark = Callable[[Bench], Coroutine[Any, Any, list[Row]]]
