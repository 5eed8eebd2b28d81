"""FastAPI dependencies of the memory endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.memories.service import MemoryService
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_WRITE))]
SearchText = Annotated[
    str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Part of the text or the scope.")
]


@dataclass(frozen=True, slots=True)
class MemoryDeps:
    """Dependencies of the memory endpoints, built by the container."""

    mask: SecretMask


_Deps = Annotated[MemoryDeps, Depends(Provided(MemoryDeps))]


async def _memories(session: SessionDep, deps: _Deps) -> MemoryService:
    return MemoryService(session, deps.mask)


async def _memories_to_read(session: ReadSessionDep, deps: _Deps) -> MemoryService:
    return MemoryService(session, deps.mask)


Memories = Annotated[MemoryService, Depends(_memories, scope="function")]
MemoriesToRead = Annotated[MemoryService, Depends(_memories_to_read, scope="function")]
