"""CPU and memory of processes that may end while they are read."""

import os
import subprocess
import sys

import pytest

from benchmarks import machine
from benchmarks.machine import cpu_seconds, process_trees, proportional_mb, threads_and_files


@pytest.fixture
def ended_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


class TestProcesses:
    def test_a_tree_holds_living_descendants(self) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            assert {os.getpid(), child.pid} <= process_trees([os.getpid()])
            assert threads_and_files(child.pid)[0] == 1
            child.communicate(b"\n")

    def test_an_ended_process_uses_nothing(self, ended_pid: int) -> None:
        assert (cpu_seconds(ended_pid), proportional_mb(ended_pid)) == (0, 0)
        assert threads_and_files(ended_pid) == (0, 0)

    def test_a_process_may_end_between_listing_and_reading(
        self, ended_pid: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "process_trees", lambda pids: {*pids, ended_pid})

        assert cpu_seconds(os.getpid()) > 0
        assert proportional_mb(os.getpid()) > 1


ORPHAN = """
import os, subprocess, sys, time
from benchmarks.machine import adopt_orphans, cpu_seconds, reap_orphans

adopt_orphans()
burn = "import time\\nwhile time.process_time() < 0.5: pass"
start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
subprocess.run([sys.executable, "-c", start], check=True)
while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT) is None:
    pass
reap_orphans()
print(cpu_seconds(os.getpid()) >= 0.5)
"""


def test_the_time_of_orphans_is_counted() -> None:
    """Crew hosts outlive the process that started them when it is killed."""
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True)

    assert done.stdout == "True\n", done.stderr
