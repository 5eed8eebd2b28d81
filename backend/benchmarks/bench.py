"""What every family of measures is given."""

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.servers import BareCrews, BareWeb, Product
from benchmarks.table import Row
from tests.support.scripted_provider import ProviderProcess, Rule


class Bench:
    """The scripted provider that all share, throw-away folders, and processes that are slow to start.

    A bare crew process costs nothing while it waits, so each is started once and kept.
    """

    def __init__(self, provider: ProviderProcess, folder: Path, quick: bool) -> None:
        self.provider = provider
        self.quick = quick
        self._folders = (folder / str(number) for number in count(1))
        self._ending = ExitStack()
        self._crews: dict[str, BareCrews] = {}
        self._product: Product | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.retire_product()
        self._ending.close()

    def new_folder(self) -> Path:
        return next(self._folders)

    async def warm_product(self) -> Product:
        """The product, started once, with its model registered and one run behind it."""
        if self._product is None:
            self.script()
            self._product = Product(self.new_folder())
            await self._product.connect(self.provider.base_url)
        return self._product

    def retire_product(self) -> None:
        """End the warm product, so that its polling does not weigh on what comes next."""
        if self._product is not None:
            self._product.__exit__()
            self._product = None

    def bare_web(self, rows: int = 1000) -> BareWeb:
        return BareWeb(self.new_folder(), self.provider.base_url, rows)

    def bare_crews(self, mode: str) -> BareCrews:
        """Bare CrewAI in this mode, warm."""
        if mode not in self._crews:
            self.script()
            crews = BareCrews(mode, self.provider.base_url, self.new_folder())
            self._crews[mode] = self._ending.enter_context(crews)
        return self._crews[mode]

    def script(self, *rules: Rule, delay_ms: float = 0) -> None:
        """Begin anew at the provider with these rules and this delay of each call."""
        self.provider.reset()
        self.provider.script(rules, delayMs=delay_ms)


Family = Callable[[Bench], Coroutine[Any, Any, list[Row]]]
