"""What every family of measures is given."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.servers import BareCrews, BareWeb, Product
from benchmarks.table import Row
from tests.support.scripted_provider import ProviderProcess, Rule


@dataclass
class Bench:
    """The scripted provider that all share, a folder for throw-away data, and how much to do."""

    provider: ProviderProcess
    folder: Path
    quick: bool
    _numbers: Any = field(default_factory=lambda: count(1))

    def new_folder(self) -> Path:
        return self.folder / str(next(self._numbers))

    def product(self, **settings: str) -> Product:
        return Product(self.new_folder(), **settings)

    def bare_web(self, rows: int = 1000) -> BareWeb:
        return BareWeb(self.new_folder(), self.provider.base_url, rows)

    def bare_crews(self, mode: str) -> BareCrews:
        return BareCrews(mode, self.provider.base_url, self.new_folder())

    def script(self, *rules: Rule, delay_ms: float = 0) -> None:
        """Begin anew at the provider with these rules and this delay of each call."""
        self.provider.reset()
        self.provider.script(rules, delayMs=delay_ms)


Family = Callable[[Bench], Coroutine[Any, Any, list[Row]]]
