"""Cancellable waiting in threads."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any


class BlockingCalls:
    """Coroutines that threads of one attempt wait for. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: set[Future[Any]] = set()
        self._is_cancelled = False

    def run(self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        """Run `work` in `loop` and block until it is done. Raises CancelledError after `cancel_all`."""
        with self._lock:
            if self._is_cancelled:
                work.close()
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(work, loop)
            self._pending.add(future)
        try:
            return future.result()
        finally:
            with self._lock:
                self._pending.discard(future)

    def cancel_all(self) -> None:
        """Cancel all current and future calls."""
        with self._lock:
            self._is_cancelled = True
            pending = list(self._pending)
        for future in pending:
            future.cancel()
