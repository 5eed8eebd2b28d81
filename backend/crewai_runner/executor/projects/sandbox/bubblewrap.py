"""Runs commands under bubblewrap: own namespaces, no network, no rights, only their own folders."""

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.sandbox import bwrap_arguments, enter_as_user
from crewai_runner.executor.projects.sandbox.bwrap_arguments import Locate
from crewai_runner.executor.projects.sandbox.cgroups import ControlGroups, create_control_groups
from crewai_runner.executor.projects.sandbox.launch_config import build_config
from crewai_runner.executor.projects.sandbox.namespace_settings import describe_refusing_settings
from crewai_runner.executor.projects.sandbox.port import (
    EndCause,
    EscapeTargets,
    Folders,
    Layout,
    OnOutput,
    SandboxFailed,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.process import LaunchPlan, launch
from crewai_runner.executor.projects.sandbox.seccomp import build_filter
from crewai_runner.executor.projects.sandbox.work_folder import WorkFolderTooLarge, give_to_user

SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
INSTALL_HINT = "install bubblewrap 0.8 or newer: apt-get install bubblewrap"
_NAMESPACE_HINT = (
    "this machine refuses unprivileged user namespaces: set kernel.apparmor_restrict_unprivileged_userns=0 "
    "(Ubuntu) or kernel.unprivileged_userns_clone=1 (Debian) with sysctl; in a container, its seccomp "
    "profile must allow them"
)
_NAMESPACE_ERRORS = ("namespace", "uid map", "operation not permitted", "permission denied")
FIRST_USER, USERS = 1_900_000_000, 200_000_000
"""User ids that no distribution assigns, below 2^31."""


@dataclass(frozen=True, slots=True)
class BubblewrapSandbox:
    """A Sandbox. A server of root starts each command as a user without any rights or files."""

    program: str | None = None
    """The path of bwrap; None: the one of the system."""

    @property
    def name(self) -> str:
        return "bubblewrap"

    def find_hint(self, message: str) -> str:
        if "was not found" not in message and any(text in message.lower() for text in _NAMESPACE_ERRORS):
            return describe_refusing_settings() or _NAMESPACE_HINT
        return INSTALL_HINT

    @property
    def escape_targets(self) -> EscapeTargets:
        return EscapeTargets()

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
    with ExitStack() as stack:
        if os.geteuid() == 0:
            plan = _prepare_as_root(program, spec, stack)
        else:
            command, files = _build_command(program, spec, str, stack)
            plan = LaunchPlan(command, build_config(spec), files)
        stack.pop_all()  # kept for the plan
        return plan


def _build_command(
    program: str, spec: SandboxSpec, locate: Locate, stack: ExitStack
) -> tuple[list[str], list[int]]:
    """Return the command line of bubblewrap, and the descriptors of the files that it reads."""
    options = bwrap_arguments.build_options(spec, locate)
    files = [_memory_file(b"".join(option.encode() + b"\0" for option in options), stack)]
    seccomp = None
    if (filter_program := build_filter()) is not None:
        seccomp = _memory_file(filter_program, stack)
        files.append(seccomp)
    return bwrap_arguments.build_command(program, spec, files[0], seccomp), files


def _prepare_as_root(program: str, spec: SandboxSpec, stack: ExitStack) -> LaunchPlan:
    sources = bwrap_arguments.list_sources(spec)
    user = spec.user if spec.user is not None else FIRST_USER + secrets.randbelow(USERS)
    _give_writable_folders(spec, user)
    places = {source: f"{enter_as_user.STAGE}/{index}" for index, source in enumerate(sources)}
    inner, files = _build_command(program, spec, lambda path: _place(path, places), stack)
    groups = create_control_groups(spec.limits)
    stack.callback(groups.remove)
    entry = {
        "user": user,
        "sources": [str(source) for source in sources],
        "cgroups": groups.process_lists,
        "command": inner,
    }
    entry_file = _memory_file(json.dumps(entry).encode(), stack)
    command = [sys.executable, "-I", "-S", "-B", enter_as_user.__file__, str(entry_file)]
    return LaunchPlan(command, build_config(spec), [*files, entry_file], release=lambda: _release(groups))


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


def _memory_file(data: bytes, stack: ExitStack) -> int:
    """Return the descriptor of a file in memory, which the stack closes."""
    number = os.memfd_create("options", os.MFD_CLOEXEC)
    stack.callback(os.close, number)
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
