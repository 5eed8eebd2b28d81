"""What the launcher inside the sandbox is sent: the command, its environment, forwarded ports and limits."""

from crewai_runner.executor.projects.sandbox.port import (
    EGRESS_SOCKET,
    GATEWAY_SOCKET,
    SandboxLimits,
    SandboxSpec,
)


def resource_limits(limits: SandboxLimits) -> dict[str, int]:
    """Return the limits of each process, and of all processes of a user, by their names in `resource`."""
    return {
        "RLIMIT_AS": limits.address_space,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": limits.processes,
    }


def build_config(spec: SandboxSpec, *, limits_processes: bool = True) -> dict[str, object]:
    """Return the configuration that `guest/launch.py` describes.

    A port is forwarded if its socket exists. The limit of processes counts those of a user namespace, so it
    is set only where the command has one.
    """
    layout, limits, sockets = spec.layout, spec.limits, spec.folders.sockets
    ports = {GATEWAY_SOCKET: layout.gateway_port, EGRESS_SOCKET: layout.egress_port}
    bounds = resource_limits(limits)
    if not limits_processes:
        del bounds["RLIMIT_NPROC"]
    return {
        "command": list(spec.command),
        "environment": {**layout.variables, **spec.environment},
        "directory": spec.directory or layout.work,
        "forward": [
            [port, f"{layout.sockets}/{name}"]
            for name, port in ports.items()
            if sockets is not None and (sockets / name).exists()
        ],
        "limits": bounds,
    }
