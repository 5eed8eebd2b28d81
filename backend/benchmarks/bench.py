"""The resources that all benchmarks share, and what a benchmark is."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

from benchmarks.product import Product, ended
from benchmarks.servers import CrewAiProcess, FastApiServer
from benchmarks.table import Figures
from tests.support.database import empty_postgresql
from tests.support.scripted_provider import ProviderProcess, Rule, Say

STAMPED = Rule(Say(chunks=["The ", "answer."], stamp=True))


class Bench:
    """The scripted provider, temporary folders, and the reference processes.

    An idle CrewAI process uses no CPU, so each one is started once and kept.
    """

    def __init__(self, provider: ProviderProcess, folder: Path, quick: bool) -> None:
        self.provider = provider
        self.quick = quick
        self._folders = (folder / str(number) for number in count(1))
        self._exit_stack = ExitStack()
        self._crews: dict[str, CrewAiProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit_stack.close()

    def new_folder(self) -> Path:
        return next(self._folders)

    @contextmanager
    def product(self, setup: str, **settings: str) -> Iterator[Product]:
        """Start the product in this setup, on a new database, and end it after the block."""
        with self.database(setup) as url:
            product = Product.start(setup, self.new_folder(), url, **settings)
            with ended(product):
                yield product

    @contextmanager
    def database(self, setup: str) -> Iterator[str]:
        """Yield the URL of a new database on PostgreSQL; an empty one for a setup on SQLite."""
        if setup != "postgresql":
            yield ""
            return
        with empty_postgresql() as url:
            yield url

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
        """Reset the provider and set its rules (default: stamped answers) and the delay of each call."""
        self.provider.reset()
        self.provider.script(rules or (STAMPED,), delayMs=delay_ms)


Measurement = Callable[..., Coroutine[Any, Any, Figures]]


@dataclass(frozen=True)
class Benchmark:
    """What is measured of the references, of a running product, and of a setup that it starts itself.

    ``on_product(bench, product)`` shares one warm product with the other benchmarks;
    ``on_setup(bench, setup)`` starts its own processes. ``full_only`` leaves it out of ``--quick``.
    """

    reference: Measurement | None = None
    on_product: Measurement | None = None
    on_setup: Measurement | None = None
    full_only: bool = False
