"""The paths inside the sandbox and the options of bubblewrap. Pure, apart from looking for system folders."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from crewai_runner.executor.projects import guest
from crewai_runner.executor.projects.sandbox.port import Layout, SandboxSpec

PROJECT = "/project"
ENVIRONMENT = "/environment"
WORK = "/work"
GUEST = "/opt/runner/guest"
SOCKETS = "/run/runner"
PYTHON = "/opt/python"
GATEWAY_PORT = 8081
EGRESS_PORT = 8082
GUEST_FOLDER = Path(guest.__file__).parent
INSIDE_USER = 1000

_SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_PUBLIC_FILES = (
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/pki/tls/certs",
)
_NAMESPACES = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
    *("--uid", str(INSIDE_USER), "--gid", str(INSIDE_USER), "--hostname", "sandbox"),
    *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"),
)
_LAUNCH = "import sys; sys.path.insert(0, '/opt/runner'); from guest.launch import main; main()"

Locate = Callable[[Path], str]
"""Returns the path at which bubblewrap finds a file or folder of this machine."""


def lay_out(interpreter: Path) -> Layout:
    """Return the fixed paths and ports; those of the interpreter depend on where it is installed."""
    python, prefix = _locate_interpreter(interpreter)
    variables = {
        "PATH": f"{ENVIRONMENT}/bin:{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108 - a file system of its own inside
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "USER": "runner",
        "LOGNAME": "runner",
    }
    if prefix is not None:
        # A shared libpython is looked for where it was installed, which is elsewhere inside.
        variables["LD_LIBRARY_PATH"] = f"{PYTHON}/lib"
    return Layout(
        project=PROJECT,
        environment=ENVIRONMENT,
        work=WORK,
        guest=GUEST,
        sockets=SOCKETS,
        python=python,
        gateway_port=GATEWAY_PORT,
        egress_port=EGRESS_PORT,
        variables=variables,
    )


def list_sources(spec: SandboxSpec) -> list[Path]:
    """Return the files and folders of this machine that are mounted, without those of the system."""
    folders = spec.folders
    _, prefix = _locate_interpreter(spec.interpreter)
    optional = (folders.project, folders.environment, folders.sockets, prefix)
    given = [GUEST_FOLDER, folders.work, *(path for path in optional if path is not None)]
    return list(dict.fromkeys([*given, *(mount.source for mount in spec.mounts)]))


def build_options(spec: SandboxSpec, locate: Locate) -> list[str]:
    """Return the options of bubblewrap."""
    arguments: list[str] = [*_NAMESPACES]
    for name, value in _launcher_variables(spec).items():
        arguments += ["--setenv", name, value]
    arguments += [*_mount_system(), *_mount_memory(spec), *_mount_folders(spec, locate)]
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


def build_command(program: str, spec: SandboxSpec, options: int, seccomp: int | None) -> list[str]:
    """Return the command line that starts the launcher; options are in a file: no outside path is named."""
    launcher = [spec.layout.python, "-I", "-S", "-B", "-c", _LAUNCH]
    filters = [] if seccomp is None else ["--seccomp", str(seccomp)]
    return [program, "--args", str(options), *filters, "--", *launcher]


def _launcher_variables(spec: SandboxSpec) -> dict[str, str]:
    variables = spec.layout.variables
    return {name: variables[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in variables}


def _mount_system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM_FOLDERS:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for file in _PUBLIC_FILES:
        yield from ("--ro-bind-try", file, file)


def _mount_memory(spec: SandboxSpec) -> Iterator[str]:
    size = str(spec.limits.temporary_size)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", size, "--tmpfs", "/tmp", "--size", size, "--tmpfs", "/dev/shm")  # noqa: S108


def _mount_folders(spec: SandboxSpec, locate: Locate) -> Iterator[str]:
    folders = spec.folders
    _, prefix = _locate_interpreter(spec.interpreter)
    read_only = (
        (GUEST_FOLDER, GUEST),
        (GUEST_FOLDER / "etc" / "hosts", "/etc/hosts"),
        (GUEST_FOLDER / "etc" / "passwd", "/etc/passwd"),
        (prefix, PYTHON),
        (folders.project, PROJECT),
        (folders.environment, ENVIRONMENT),
        (folders.sockets, SOCKETS),
    )
    for source, target in read_only:
        if source is not None:
            yield from ("--ro-bind", locate(source), target)
    yield from ("--bind", locate(folders.work), WORK)
    for mount in spec.mounts:
        yield from ("--bind" if mount.is_writable else "--ro-bind", locate(mount.source), mount.target)


def _locate_interpreter(interpreter: Path) -> tuple[str, Path | None]:
    """Return the interpreter's path inside, and the folder to mount at PYTHON: None if it is below /usr."""
    real = Path(os.path.realpath(interpreter))
    if real.is_relative_to("/usr"):
        return str(real), None
    return f"{PYTHON}/bin/{real.name}", real.parent.parent
