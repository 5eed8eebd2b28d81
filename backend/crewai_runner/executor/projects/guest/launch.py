"""Starts the command of a project inside the sandbox, and connects its loopback ports to Unix sockets.

Standard library only, Python 3.10 to 3.13. Descriptor 0 is a socket to the host process. The host sends one
line of JSON: {"command": [...], "environment": {...}, "directory": "...", "forward": [[port, path], ...],
"limits": {"RLIMIT_...": number}}. The answer is the line `started`, or `failed <reason>`. After it each line
`terminate` sends SIGTERM to every process of the project, and `kill` ends them all; so does the end of the
connection. The exit status is that of the command, 128 + n for signal n.
"""

import errno
import json
import os
import resource
import signal
import sys
import threading

from .forwarder import Forwarder

MAX_CONFIG_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
PR_SET_CHILD_SUBREAPER = 36
"""From Linux's <sys/prctl.h>."""


class Control:
    """The socket to the host process."""

    def __init__(self) -> None:
        self.received = b""

    def read_line(self) -> "bytes | None":
        """Return the next line; None when the host has closed the connection."""
        while b"\n" not in self.received:
            try:
                data = os.read(0, READ_BYTES)
            except OSError:
                return None
            if not data or len(self.received) > MAX_CONFIG_BYTES:
                return None
            self.received += data
        line, self.received = self.received.split(b"\n", 1)
        return line

    def write_line(self, line: str) -> None:
        os.write(0, line.encode() + b"\n")

    def obey(self, child: int) -> None:
        while True:
            line = self.read_line()
            if line == b"terminate":
                signal_all(child, signal.SIGTERM)
            elif line is None or line == b"kill":
                kill_all(child)
                os._exit(128 + signal.SIGKILL)


def list_descendants() -> list[int]:
    """Return the processes below this one, as far as Linux shows them."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                with open("/proc/" + name + "/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def signal_all(child: int, number: int) -> None:
    """Send a signal to every process of the project."""
    try:
        if os.getpid() == 1:
            os.kill(-1, number)  # everything in this process namespace except ourselves
        elif not os.path.isdir("/proc/self"):
            os.killpg(child, number)
    except OSError:
        pass
    if os.getpid() != 1:
        for process in list_descendants():
            try:
                os.kill(process, number)
            except OSError:
                pass


def kill_all(child: int) -> None:
    """Kill every process of the project. As process 1 our own end does that, at once and for all of them."""
    if os.getpid() == 1:
        return
    for _ in range(20):  # a process may fork while it is looked for
        signal_all(child, signal.SIGKILL)
        if not list_descendants():
            return
        reap()


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, on Linux; process 1 is it anyway."""
    if os.getpid() == 1 or sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - slow, and not needed in the sandbox

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_limits(limits: dict[str, int]) -> None:
    """Set each limit, soft and hard; one that is already lower stays."""
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (bound, bound))


def start(command: list[str], environment: dict[str, str]) -> int:
    """Start the command in a session of its own, with no input. Raises OSError."""
    return os.posix_spawnp(
        command[0],
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)],
        setsid=True,
        setsigdef=[signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ],
    )


def wait_for(child: int) -> int:
    """Reap every process that ends, and return the exit status of the command."""
    while True:
        try:
            process, status = os.waitpid(-1, 0)
        except InterruptedError:
            continue
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def main() -> None:
    control = Control()
    line = control.read_line()
    if line is None:
        os._exit(1)
    config = json.loads(line)
    forwarder = Forwarder()
    try:
        # The project may send signals to us; process 1 ignores those without a handler.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        adopt_orphans()
        os.umask(0o022)
        os.chdir(config["directory"])
        for port, path in config["forward"]:
            forwarder.listen(port, path)
        set_limits(config["limits"])
        os.environ["PATH"] = config["environment"].get("PATH", os.defpath)  # where posix_spawnp searches
        child = start(config["command"], config["environment"])
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "error")
        control.write_line("failed " + name + ": " + str(error).replace("\n", " ")[:500])
        os._exit(127)
    control.write_line("started")
    threading.Thread(target=forwarder.run, daemon=True).start()
    threading.Thread(target=control.obey, args=(child,), daemon=True).start()
    status = wait_for(child)
    kill_all(child)
    os._exit(status)
