"""The event loop that serves blocking threads."""

import asyncio
import functools
import threading


@functools.cache
def background_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that runs in a daemon thread, one per process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="crew-calls", daemon=True).start()
    return loop
