"""CPU and memory of processes, from /proc (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """The process and all it has started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and all it has started, in seconds."""
    return sum(_cpu_of(one) for one in family(pid))


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Memory in use now, in MB (of 1024 * 1024 bytes)."""
    return sum(_status(one, "VmRSS") for one in family(pid)) / 1024


def peak_mb(pid: int) -> float:
    """The most memory in use at once since ``forget_peak``, in MB."""
    return sum(_status(one, "VmHWM") for one in family(pid)) / 1024


def forget_peak(pid: int) -> None:
    """Begin ``peak_mb`` anew."""
    for one in family(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
