"""CPU and memory of processes, from /proc (Linux). Processes may end at any time while they are read."""

import contextlib
import ctypes
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def process_trees(pids: Iterable[int]) -> set[int]:
    """Return these processes and all of their descendants that are alive."""
    children = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children[int(fields[1])].append(int(folder.name))
    found, waiting = set(), list(pids)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children[pid]
    return found


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose parent ends: their CPU time is lost otherwise."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Collect the children that have ended, while no other part of this process waits for one."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def cpu_seconds(*pids: int) -> float:
    """Return user and system time of the process trees in seconds, ended children included."""
    return sum(sum(map(int, fields[11:15])) for pid in process_trees(pids) if (fields := _stat(pid))) / TICKS


def busy_seconds() -> float:
    """Return the CPU time that all processes of the machine have used, in seconds."""
    first, _, _ = Path("/proc/stat").read_text().partition("\n")
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def proportional_mb(*pids: int) -> float:
    """Return the memory of the process trees in MiB; pages shared by n processes count 1/n in each."""
    return sum(_kilobytes(pid, "smaps_rollup", "Pss") for pid in process_trees(pids)) / 1024


def peak_mb(*pids: int) -> float:
    """Return the sum of peak resident memory since ``reset_peak`` in MiB."""
    return sum(_kilobytes(pid, "status", "VmHWM") for pid in process_trees(pids)) / 1024


def reset_peak(*pids: int) -> None:
    """Reset the counters of ``peak_mb``."""
    for pid in process_trees(pids):
        with contextlib.suppress(*GONE):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def threads_and_files(*pids: int) -> tuple[int, int]:
    """Return the numbers of threads and of open file handles of the process trees."""
    threads = files = 0
    for pid in process_trees(pids):
        with contextlib.suppress(*GONE):
            threads += _count(Path(f"/proc/{pid}/task"))
            files += _count(Path(f"/proc/{pid}/fd"))
    return threads, files


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; empty when the process has ended."""
    with contextlib.suppress(*GONE):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _kilobytes(pid: int, file: str, name: str) -> int:
    with contextlib.suppress(*GONE):
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
    return 0
