"""What endpoints are given: a session, the principal, the process's parts.

Every dependency is a coroutine: FastAPI sends plain functions through a thread, one by one.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.http.time_limit import disable_timeout


async def container(connection: HTTPConnection) -> Any:
    """The parts of this process (`wiring.Container`), built at start."""
    return connection.app.state.container


async def _session(process: Annotated[Any, Depends(container)]) -> AsyncIterator[AsyncSession]:
    async with unit_of_work(process.sessions) as session:
        yield session
    process.notifier.publish(pop_notifications(session))


async def _read_session(process: Annotated[Any, Depends(container)]) -> AsyncIterator[AsyncSession]:
    async with read_session(process.sessions) as session:
        yield session


# scope="function": commit BEFORE the response leaves, so a failed commit is never a 2xx.
SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
ReadSessionDep = Annotated[AsyncSession, Depends(_read_session, scope="function")]
Container = Annotated[Any, Depends(container)]


async def _queue_open(process: Container) -> None:
    await process.queue_open()


# For endpoints that queue work; depends on it before the session's first statement.
QueueOpen = Depends(_queue_open)


async def _no_timeout(connection: HTTPConnection) -> None:
    disable_timeout(connection.scope)


# For endpoints that wait for a run or an agent, with a limit of their own.
NoTimeout = Depends(_no_timeout)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=1000, description="`nextCursor` of the page before; omit for the first.")
]
LIMIT = DEFAULT_LIMIT


async def _if_match(
    if_match: Annotated[
        str | None, Header(max_length=100, description="The ETag last seen; a stale one is 412.")
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest('If-Match must be an ETag of this API, such as "3".')
    return int(text)


IfMatch = Annotated[int | None, Depends(_if_match)]


def set_etag(response: Response, version: int) -> None:
    """Put the resource's version into the ETag header."""
    response.headers["ETag"] = f'"{version}"'
