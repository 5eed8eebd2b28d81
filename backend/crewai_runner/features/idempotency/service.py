"""The same key and body gives the first answer again; nothing is made twice."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.idempotency.repository import IdempotencyRepository

KEPT = timedelta(hours=24)
Answer = TypeVar("Answer", bound=BaseModel)


class IdempotencyService:
    """Runs the making of something at most once per Idempotency-Key.

    The key, the thing made and its answer are one transaction: a crash leaves all or nothing.
    """

    def __init__(self, session: AsyncSession, workspace_id: str, route: str, key: str | None) -> None:
        self._session = session
        self._keys = IdempotencyRepository(session)
        self._workspace_id, self._route, self._key = workspace_id, route, key

    async def __call__(
        self, answer: type[Answer], body: BaseModel, make: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """The made answer, or the remembered one. Raises IdempotencyKeyReused (409) for another body."""
        if self._key is None:
            return await make()
        digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
        claim = {
            "workspace_id": self._workspace_id,
            "key": self._key,
            "route": self._route,
            "body_hash": digest,
            "created_at": now(),
        }
        await self._keys.forget_before(now() - KEPT)
        if await self._keys.claim(claim):
            made = await make()
            row = await self._keys.get(self._workspace_id, self._key, self._route)
            if row is not None:
                row.answer = made.model_dump_json(by_alias=True)
            return made
        row = await self._keys.get(self._workspace_id, self._key, self._route)
        if row is None or row.body_hash != digest or row.answer is None:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was sent before with another body. Use a new key for a new request."
            )
        return answer.model_validate_json(row.answer)
