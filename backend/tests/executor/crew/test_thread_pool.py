import threading
from concurrent.futures import Future

import pytest

from crewai_runner.executor.crew.attempt.thread_pool import StepThreadPool


class TestStepThreadPool:
    def test_chain_of_steps_uses_one_thread(self) -> None:
        steps, gate = StepThreadPool(), threading.Event()
        following: Future[Future[int]] = Future()

        def first() -> int:
            gate.wait(10)
            return threading.get_ident()

        first_step = steps.submit(first)
        first_step.add_done_callback(lambda _done: following.set_result(steps.submit(threading.get_ident)))
        gate.set()

        assert following.result(10).result(10) == first_step.result(10)

    def test_threads_are_daemons(self) -> None:
        assert StepThreadPool().submit(lambda: threading.current_thread().daemon).result(5)

    def test_blocked_step_does_not_block_others(self) -> None:
        steps, gate = StepThreadPool(), threading.Event()
        blocked = [steps.submit(gate.wait, 10) for _ in range(20)]

        assert steps.submit(lambda: "free").result(5) == "free"

        gate.set()
        assert all(future.result(5) for future in blocked)

    def test_failed_step_raises_its_error(self) -> None:
        def fail() -> None:
            raise SystemExit("over")

        with pytest.raises(SystemExit, match="over"):
            StepThreadPool().submit(fail).result(5)
