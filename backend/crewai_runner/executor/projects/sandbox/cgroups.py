"""Limits of all processes of a sandbox together, by control groups: only a server of root can create them."""

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.sandbox.port import SandboxLimits

ROOT = Path("/sys/fs/cgroup")
CPU_PERIOD_US = 100_000
REMOVE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The groups of one sandbox: one folder for all controllers (version 2 of cgroups), or one for each."""

    folders: tuple[Path, ...] = ()

    @property
    def process_lists(self) -> list[str]:
        """The files to which a process writes `0` in order to join."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def has_run_out_of_memory(self) -> bool:
        """Whether Linux has killed a process of the groups because of their memory limit."""
        return any(
            _read_number(folder / name, "oom_kill") > 0
            for folder in self.folders
            for name in ("memory.events", "memory.oom_control")
        )

    def remove(self) -> None:
        """Remove the groups; Linux allows it once the last process has gone, which may take a moment."""
        for folder in self.folders:
            deadline = time.monotonic() + REMOVE_SECONDS
            while True:
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.01)
                else:
                    break


def create_control_groups(limits: SandboxLimits, root: Path = ROOT) -> ControlGroups:
    """Create groups with these limits; those that cannot be created are left out. Blocks for milliseconds."""
    if os.geteuid() != 0:
        return ControlGroups()
    name = f"crewai-runner-{secrets.token_hex(8)}"
    if (root / "cgroup.controllers").is_file():
        wanted = {root / name: _version_2(limits)}
    else:
        wanted = {root / controller / name: files for controller, files in _version_1(limits).items()}
    return ControlGroups(tuple(folder for folder, files in wanted.items() if _create(folder, files)))


def _version_2(limits: SandboxLimits) -> Mapping[str, str]:
    return {
        "pids.max": str(limits.processes),
        "memory.max": str(limits.memory),
        "cpu.max": f"{round(limits.cpu_share * CPU_PERIOD_US)} {CPU_PERIOD_US}",
    }


def _version_1(limits: SandboxLimits) -> Mapping[str, Mapping[str, str]]:
    return {
        "pids": {"pids.max": str(limits.processes)},
        "memory": {"memory.limit_in_bytes": str(limits.memory)},
        "cpu": {
            "cpu.cfs_period_us": str(CPU_PERIOD_US),
            "cpu.cfs_quota_us": str(round(limits.cpu_share * CPU_PERIOD_US)),
        },
    }


def _create(folder: Path, files: Mapping[str, str]) -> bool:
    try:
        folder.mkdir()
    except OSError:
        return False
    has_limit = False
    for name, value in files.items():
        # Opened for writing without creating: a controller that is off has no such file.
        with contextlib.suppress(OSError), (folder / name).open("r+", encoding="ascii") as file:
            file.write(value)
            file.flush()
            has_limit = True
    if not has_limit:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return has_limit


def _read_number(path: Path, name: str) -> int:
    """Return the number after `name` in a file of `name number` lines; 0 where there is none."""
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text(encoding="ascii").splitlines():
            if line.split()[:1] == [name]:
                return int(line.split()[1])
    return 0
