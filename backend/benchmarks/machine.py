"""CPU and memory of processes, from /proc (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def process_tree(pid: int) -> Iterator[int]:
    """Yield the process and its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from process_tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Return user and system time of the process tree in seconds."""
    return sum(_cpu_of(one) for one in process_tree(pid))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Return the resident memory of the process tree in MiB."""
    return sum(_status(one, "VmRSS") for one in process_tree(pid)) / 1024


def peak_mb(pid: int) -> float:
    """Return the sum of peak resident memory since ``reset_peak`` in MiB."""
    return sum(_status(one, "VmHWM") for one in process_tree(pid)) / 1024


def reset_peak(pid: int) -> None:
    """Reset the counters of ``peak_mb``."""
    for one in process_tree(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
