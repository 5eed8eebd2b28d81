"""Builds what triggers need."""

from collections.abc import Callable

from crewai_runner.core.settings import Settings
from crewai_runner.features.triggers.deps import HOOK_RATE, HookDeps
from crewai_runner.features.triggers.service import TriggerDeps
from crewai_runner.wiring.adapters import make_limiter


class TriggerParts:
    """The dependencies of triggers in one process."""

    def __init__(self, settings: Settings, deps: TriggerDeps) -> None:
        self.deps = deps
        self.hooks = HookDeps(make_limiter(settings, deps.sessions, HOOK_RATE))
        self.factories: dict[type, Callable[[], object]] = {
            TriggerDeps: lambda: self.deps,
            HookDeps: lambda: self.hooks,
        }
