"""FastAPI dependencies shared by the endpoints: sessions, paging, ETags and the container's instances.

Every dependency is a coroutine: FastAPI runs plain functions in a thread, one at a time.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar

from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, pop_notifications, read_session
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.http.time_limit import disable_timeout
from crewai_runner.queue.deferred import DeferredQueue

T = TypeVar("T")


class DependencyProvider(Protocol):
    """Interface of `app.state.container`, which provides every feature's dependencies."""

    def provide(self, kind: type[T]) -> T:
        """Return the instance of this type. Raises LookupError for a type that is not provided."""


def provided(connection: HTTPConnection, kind: type[T]) -> T:
    """Return the container's instance of `kind`, where FastAPI does not inject it."""
    container: DependencyProvider = connection.app.state.container
    return container.provide(kind)


class Provided(Generic[T]):
    """A dependency that is the container's instance of a type: `Depends(Provided(RunDeps))`."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind

    async def __call__(self, connection: HTTPConnection) -> T:
        return provided(connection, self.kind)


@dataclass(frozen=True, slots=True)
class SessionDeps:
    """The session factory of requests, and the publisher of their notifications."""

    sessions: Sessions
    publish: Callable[[Iterable[str]], None]


_Deps = Annotated[SessionDeps, Depends(Provided(SessionDeps))]


async def _session(deps: _Deps) -> AsyncIterator[AsyncSession]:
    async with audited_unit_of_work(deps.sessions) as session:
        yield session
    deps.publish(pop_notifications(session))


async def _read_session(deps: _Deps) -> AsyncIterator[AsyncSession]:
    async with read_session(deps.sessions) as session:
        yield session


# scope="function": commit BEFORE the response leaves, so a failed commit is never a 2xx.
SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
ReadSessionDep = Annotated[AsyncSession, Depends(_read_session, scope="function")]

# For frequent reads: one hop to a thread, where a session makes one for each statement.
ReaderDep = Annotated[SnapshotReader, Depends(Provided(SnapshotReader))]


async def _queue_open(queue: Annotated[DeferredQueue, Depends(Provided(DeferredQueue))]) -> None:
    await queue.wait_until_open()


# For endpoints that queue work; list it before the session's first statement.
QueueOpen = Depends(_queue_open)


async def _no_timeout(connection: HTTPConnection) -> None:
    disable_timeout(connection.scope)


# For endpoints that wait for a run or an agent, with a limit of their own.
NoTimeout = Depends(_no_timeout)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Maximum number of items.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1000, description="`nextCursor` of the previous page; omit it for the first one."),
]
LIMIT = DEFAULT_LIMIT


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(max_length=100, description="The last seen ETag. A stale one is rejected with 412."),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest('If-Match must be an ETag of the API, such as "3".')
    return int(text)


IfMatch = Annotated[int | None, Depends(_if_match)]


async def _if_none_match(
    if_none_match: Annotated[
        str | None, Header(max_length=1000, description="The last seen ETag. If it is current: 304.")
    ] = None,
) -> None:
    """Document the header; ConditionalGetMiddleware reads it."""


# For endpoints of resources with an ETag.
Conditional = Depends(_if_none_match)


def set_etag(response: Response, version: int) -> None:
    """Put the resource's version into the ETag header. Everything that the response shows must have it."""
    response.headers["ETag"] = f'"{version}"'


def respond_with_etag(body: BaseModel) -> Response:
    """Return a response with a digest of itself in the ETag header, for a resource that changes by itself."""
    content = body.model_dump_json(by_alias=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    return Response(content, media_type="application/json", headers={"ETag": f'"{digest[:32]}"'})
