"""Threads for the blocking steps of crews."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

IDLE_SECONDS = 10.0


class StepThreadPool(ThreadPoolExecutor):
    """An unbounded pool of daemon threads, shared by all attempts, that end when idle.

    The standard pool counts a thread as idle only after its result is set, so a chain of steps starts one
    thread per step; here a thread counts as idle before its result is set. A step that never ends
    blocks neither other steps nor the end of the process.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._changed = threading.Condition()
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._idle_threads = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._changed:
            self._queue.append((future, lambda: fn(*args, **kwargs)))
            if self._idle_threads < len(self._queue):
                self._idle_threads += 1
                threading.Thread(target=self._run_steps, name="crew-step", daemon=True).start()
            else:
                self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: each attempt's loop shuts down its executor, and this one is shared."""

    def _run_steps(self) -> None:
        while (item := self._take_next()) is not None:
            future, step = item
            if not future.set_running_or_notify_cancel():
                self._mark_idle()
                continue
            try:
                result = step()
            except BaseException as error:  # noqa: BLE001 - raised in the waiting coroutine
                self._mark_idle()
                future.set_exception(error)
            else:
                self._mark_idle()
                future.set_result(result)
            del future, step, item

    def _take_next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            while not self._queue:
                if not self._changed.wait(IDLE_SECONDS) and not self._queue:
                    self._idle_threads -= 1
                    return None
            self._idle_threads -= 1
            return self._queue.popleft()

    def _mark_idle(self) -> None:
        with self._changed:
            self._idle_threads += 1
