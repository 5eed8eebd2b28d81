"""Wait for an asyncio event with a timeout, and for blocking work that may never end."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any


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


async def run_in_daemon_thread(work: Callable[[], None]) -> None:
    """Run blocking work in a thread that does not delay the end of the process if the caller gives up."""
    result: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - passed to the caller
            result.set_exception(error)
        else:
            result.set_result(None)

    threading.Thread(target=run, name="blocking-work", daemon=True).start()
    await asyncio.shield(asyncio.wrap_future(result))


@contextlib.contextmanager
def paused(limit: asyncio.Timeout) -> Iterator[None]:
    """Let a time limit of the running loop stand still. Not reentrant."""
    loop, ends_at = asyncio.get_running_loop(), limit.when()
    if ends_at is None:
        yield
        return
    left = ends_at - loop.time()
    limit.reschedule(None)
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # its block has ended
            limit.reschedule(loop.time() + left)


def retrieve_error(task: asyncio.Task[Any]) -> None:
    """Mark the error of an ended task as seen: a done callback for a task whose waiters may be cancelled.

    Otherwise asyncio reports the error as one of the event loop, since no caller has received it.
    """
    if not task.cancelled():
        task.exception()
