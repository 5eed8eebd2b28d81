"""Threads for the blocking steps of crews."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

IDLE_SECONDS = 10.0


class StepThreads(ThreadPoolExecutor):
    """Daemon threads shared by all attempts, as many as block at the same time, gone when idle.

    The standard pool counts a thread as free only after its result was already seen, so that a chain
    of steps starts a thread for each; here a thread is free before its result is given. A step that
    never ends holds neither other steps nor the end of the process.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._changed = threading.Condition()
        self._steps: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._free = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._changed:
            self._steps.append((future, lambda: fn(*args, **kwargs)))
            if self._free < len(self._steps):
                self._free += 1
                threading.Thread(target=self._work, name="crew-step", daemon=True).start()
            else:
                self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing: an attempt's loop closes its executor, and this one is everybody's."""

    def _work(self) -> None:
        while (step := self._next()) is not None:
            future, act = step
            if not future.set_running_or_notify_cancel():
                self._be_free()
                continue
            try:
                result = act()
            except BaseException as error:  # noqa: BLE001 - the waiting coroutine gets it
                self._be_free()
                future.set_exception(error)
            else:
                self._be_free()
                future.set_result(result)
            del future, act, step

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            while not self._steps:
                if not self._changed.wait(IDLE_SECONDS) and not self._steps:
                    self._free -= 1
                    return None
            self._free -= 1
            return self._steps.popleft()

    def _be_free(self) -> None:
        with self._changed:
            self._free += 1
