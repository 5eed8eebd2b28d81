"""Idempotent requests: repeating a request with the same key and body returns the stored response."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.db.session import keyed_digest, read_phase
from crewai_runner.db.tables.idempotency import IdempotencyRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.idempotency.repository import IdempotencyRepository

RETENTION = timedelta(hours=24)
Response = TypeVar("Response", bound=BaseModel)
Prepared = TypeVar("Prepared")


@runtime_checkable
class DescribesRun(Protocol):
    """A response that is stored for as long as the run it describes."""

    @property
    def run_id(self) -> str: ...


class IdempotencyService:
    """Creates something at most once per Idempotency-Key.

    The key, the created rows and the response are stored in one transaction.
    """

    def __init__(self, session: AsyncSession, workspace_id: str, route: str, key: str | None) -> None:
        self._session = session
        self._keys = IdempotencyRepository(session)
        self._workspace_id, self._route, self._key = workspace_id, route, key

    async def __call__(
        self, response_type: type[Response], body: BaseModel, create: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Call `create` and store its response, or return the one stored for the same key and body.

        Without a key, `create` is always called. Raises IdempotencyKeyReused (409) for a different body. The
        claim takes the database's write lock: see `create_prepared` for work that takes longer.
        """
        if self._key is None:
            return await create()
        digest = self._fingerprint(body)
        claim = {
            "workspace_id": self._workspace_id,
            "key": self._key,
            "route": self._route,
            "body_hash": digest,
            "created_at": now(),
        }
        await self._keys.delete_before(now() - RETENTION)
        if await self._keys.claim(claim):
            response = await create()
            row = await self._keys.get(self._workspace_id, self._key, self._route)
            if row is not None:
                row.answer = response.model_dump_json(by_alias=True)
                row.run_id = response.run_id if isinstance(response, DescribesRun) else None
            return response
        row = await self._keys.get(self._workspace_id, self._key, self._route)
        return _repeat(response_type, _get_answer(row, digest))

    async def create_prepared(
        self,
        response_type: type[Response],
        body: BaseModel,
        prepare: Callable[[], Awaitable[Prepared]],
        create: Callable[[Prepared], Awaitable[Response]],
    ) -> Response:
        """Call `create` with the result of `prepare` and store its response, or return the stored one.

        `prepare` may look up hosts or parse documents: it runs between the look-up of the key and its claim,
        while no lock is held. It is not called for a request that is repeated.
        """
        if self._key is not None:
            async with read_phase(self._session):
                row = await self._keys.get(self._workspace_id, self._key, self._route)
                if row is not None and row.created_at >= now() - RETENTION:
                    return _repeat(response_type, _get_answer(row, self._fingerprint(body)))
        prepared = await prepare()
        return await self(response_type, body, lambda: create(prepared))

    def _fingerprint(self, body: BaseModel) -> str:
        """Return a digest of the body with its secrets, which its JSON hides."""
        secrets = [keyed_digest(self._session, secret) for secret in _find_secrets(body.model_dump())]
        return hashlib.sha256("".join([body.model_dump_json(), *secrets]).encode()).hexdigest()


def _repeat(response_type: type[Response], answer: str) -> Response:
    get_entry().declare_unchanged()
    return response_type.model_validate_json(answer)


def _get_answer(row: IdempotencyRow | None, digest: str) -> str:
    if row is None or row.body_hash != digest or row.answer is None:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was already used with a different body. Use a new key."
        )
    return row.answer


def _find_secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _find_secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _find_secrets(item)
