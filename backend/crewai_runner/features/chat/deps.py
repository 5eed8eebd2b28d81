"""Dependencies of the chat endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.chat.service import ChatDeps, ChatService
from crewai_runner.http.deps import Provided

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


async def _service(deps: Annotated[ChatDeps, Depends(Provided(ChatDeps))]) -> ChatService:
    return ChatService(deps)


Chat = Annotated[ChatService, Depends(_service)]
