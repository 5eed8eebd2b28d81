"""Wait for an asyncio event with a timeout."""

import asyncio


async def wait_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event; return False after `seconds`.

    `asyncio.wait_for` loses a cancellation that arrives together with the event up to Python 3.11
    (https://github.com/python/cpython/issues/86296), and the cancelled task would never end.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
