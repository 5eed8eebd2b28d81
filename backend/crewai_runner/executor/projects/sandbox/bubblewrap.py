"""Runs commands under bubblewrap: own namespaces, no network, no rights, only their own folders."""

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.sandbox import bwrap_arguments, enter_as_user
from crewai_runner.executor.projects.sandbox.cgroups import ControlGroups, create_control_groups
from crewai_runner.executor.projects.sandbox.launch_config import build_config
from crewai_runner.executor.projects.sandbox.port import (
    EndCause,
    Folders,
    Layout,
    OnOutput,
    SandboxFailed,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.process import LaunchPlan, launch
from crewai_runner.executor.projects.sandbox.work_folder import WorkFolderTooLarge, give_to_user

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
INSTALL_HINT = "install bubblewrap 0.8 or newer: apt-get install bubblewrap"
FIRST_USER, USERS = 1_900_000_000, 200_000_000
"""User ids that no distribution assigns, below 2^31."""


@dataclass(frozen=True, slots=True)
class BubblewrapSandbox:
    """A Sandbox. A server of root starts each command as a user without any rights or files."""

    program: str | None = None
    """The path of bwrap; None: the one of the system."""

    @property
    def is_confined(self) -> bool:
        return True

    def lay_out(self, folders: Folders, interpreter: Path = Path(sys.executable)) -> Layout:
        del folders  # mounted at fixed paths
        return bwrap_arguments.lay_out(interpreter)

    async def start(self, spec: SandboxSpec, on_output: OnOutput) -> SandboxProcess:
        program = self.program or shutil.which("bwrap", path=SEARCH_PATH)
        if program is None:
            raise SandboxFailed(f"bubblewrap was not found in {SEARCH_PATH}; {INSTALL_HINT}.")
        preparation = asyncio.ensure_future(asyncio.to_thread(_prepare, program, spec))
        try:
            plan = await asyncio.shield(preparation)
        except (OSError, WorkFolderTooLarge) as error:
            raise SandboxFailed(f"The sandbox cannot be prepared: {error}") from error
        except asyncio.CancelledError:
            preparation.add_done_callback(_discard)
            raise
        try:
            return await launch(plan, spec, on_output)
        finally:
            _close(plan.descriptors)


def _prepare(program: str, spec: SandboxSpec) -> LaunchPlan:
    """Write the options to files in memory: host paths must not show in the command line. Blocks."""
    config = build_config(spec)
    if os.geteuid() != 0:
        options = _options_file(bwrap_arguments.build_options(spec, str))
        return LaunchPlan(bwrap_arguments.build_command(program, spec, options), config, [options])
    sources = bwrap_arguments.list_sources(spec)
    user = spec.user if spec.user is not None else FIRST_USER + secrets.randbelow(USERS)
    _give_writable_folders(spec, user)
    places = {source: f"{enter_as_user.STAGE}/{index}" for index, source in enumerate(sources)}
    options = _options_file(bwrap_arguments.build_options(spec, lambda path: _place(path, places)))
    groups = create_control_groups(spec.limits)
    entry = {
        "user": user,
        "sources": [str(source) for source in sources],
        "cgroups": groups.process_lists,
        "command": bwrap_arguments.build_command(program, spec, options),
    }
    entry_file = _memory_file(json.dumps(entry).encode())
    command = [sys.executable, "-I", "-S", "-B", enter_as_user.__file__, str(entry_file)]
    return LaunchPlan(command, config, [options, entry_file], release=lambda: _release(groups))


def _give_writable_folders(spec: SandboxSpec, user: int) -> None:
    """Let the user write its folders, and connect to its sockets."""
    writable = [mount.source for mount in spec.mounts if mount.is_writable]
    for folder in (spec.folders.work, spec.folders.sockets, *writable):
        if folder is not None:
            give_to_user(folder, user)


def _place(path: Path, places: dict[Path, str]) -> str:
    """Return the staged path of a source, or of a file below one."""
    for source, place in places.items():
        if path.is_relative_to(source):
            return f"{place}/{path.relative_to(source)}" if path != source else place
    raise ValueError(f"{path} is not staged")


def _options_file(arguments: Sequence[str]) -> int:
    """Return the descriptor of a file with the options of bubblewrap: NUL-separated."""
    return _memory_file(b"".join(argument.encode() + b"\0" for argument in arguments))


def _memory_file(data: bytes) -> int:
    number = os.memfd_create("options", os.MFD_CLOEXEC)
    os.write(number, data)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def _release(groups: ControlGroups) -> EndCause | None:
    cause = EndCause.OUT_OF_MEMORY if groups.has_run_out_of_memory() else None
    groups.remove()
    return cause


def _discard(preparation: "asyncio.Future[LaunchPlan]") -> None:
    if not preparation.cancelled() and preparation.exception() is None:
        plan = preparation.result()
        _close(plan.descriptors)
        plan.release()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
