"""The time that a client has to send an upload."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crewai_runner.http.time_limit import BodyTooSlow

UPLOAD_SECONDS = 300.0


@asynccontextmanager
async def limit_upload_time() -> AsyncIterator[None]:
    """Read an upload in this context. Raises BodyTooSlow."""
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            yield
    except TimeoutError:
        raise BodyTooSlow(
            f"The upload was not received within {UPLOAD_SECONDS:g} s.", headers={"Connection": "close"}
        ) from None
