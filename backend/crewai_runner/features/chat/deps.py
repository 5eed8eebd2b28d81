"""Dependencies of the chat endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.chat.service import ChatService
from crewai_runner.http.deps import Container

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


async def _service(process: Container) -> ChatService:
    return ChatService(process)


Chat = Annotated[ChatService, Depends(_service)]
