"""Waiting for something, but not for ever."""

import asyncio


async def wait_event(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so many seconds; whether it came.

    Not `asyncio.wait_for`: up to Python 3.11 that loses a cancellation which comes together with the event
    (https://github.com/python/cpython/issues/86296), and a loop that was to end goes on for ever.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
