"""Builds what triggers need."""

from collections.abc import Callable, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.projects.service import ProjectDeps
from crewai_runner.features.triggers.deps import HOOK_RATE, HookDeps
from crewai_runner.features.triggers.service import TriggerDeps
from crewai_runner.wiring.adapters import make_limiter


class TriggerParts:
    """The dependencies of triggers in one process."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        publish: Callable[[Iterable[str]], None],
        cipher: SecretCipher,
        mask: SecretMask,
        projects: ProjectDeps,
        executions: Callable[[], ExecutionDeps],
    ) -> None:
        def make_service(session: AsyncSession) -> ExecutionService:
            return ExecutionService(session, executions())

        self.deps = TriggerDeps(sessions, publish, cipher, mask, projects, make_service)
        self.hooks = HookDeps(make_limiter(settings, sessions, HOOK_RATE))
        self.factories: dict[type, Callable[[], object]] = {
            TriggerDeps: lambda: self.deps,
            HookDeps: lambda: self.hooks,
        }
