"""Keeps background loops running."""

import asyncio
from collections.abc import Awaitable, Callable

from crewai_runner.core.logging import get_logger

log = get_logger(__name__)
FIRST_WAIT_SECONDS = 0.1
MAX_WAIT_SECONDS = 5.0


async def restart_on_error(name: str, loop_body: Callable[[], Awaitable[None]]) -> None:
    """Run a background loop until it returns or is cancelled; after an exception log it and start again.

    The wait doubles with each exception, up to 5 seconds.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            await loop_body()
        except Exception:
            log.exception("background_loop.restarted", loop=name, wait=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, MAX_WAIT_SECONDS)
        else:
            return
