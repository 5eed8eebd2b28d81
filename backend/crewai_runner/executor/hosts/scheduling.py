"""How the kernel schedules another process, to tell a frozen process from one that gets no processor."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Nanoseconds since its start that a process has run, and waited for a processor, all threads together.

    From /proc/<pid>/task/<tid>/schedstat (Linux: Documentation/scheduler/sched-stats).
    """

    running: int
    waiting: int

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Read the times; None where they are unknown."""
        running = waiting = 0
        try:
            for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                fields = file.read_text(encoding="ascii").split()
                running, waiting = running + int(fields[0]), waiting + int(fields[1])
        except (OSError, ValueError, IndexError):
            return None
        return cls(running, waiting)

    def was_starved_since(self, before: Self) -> bool:
        """Whether the process has waited for a processor longer than it has run."""
        return self.waiting - before.waiting > self.running - before.running
