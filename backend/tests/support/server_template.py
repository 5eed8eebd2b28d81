"""Servers forked from a process that has imported the product and CrewAI.

A test process asks for a server over a Unix socket, with the server's environment in JSON and three file
handles: its standard output, its standard error, and one to which its exit status is written. Importing takes
four seconds of processor time, which every server that is started as a program of its own pays again.
"""

import array
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from crewai_runner.cli import main

BACKEND = Path(__file__).parents[2]
MAX_MESSAGE_BYTES = 1 << 20
STATUS_BYTES = 4


class ForkedServer:
    """A forked server, with those methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, stdout: IO[bytes], status_file: int) -> None:
        self.pid, self.stdout = pid, stdout
        self._status_file, self._status = status_file, -1
        self._has_ended = False

    def poll(self) -> int | None:
        return self._read_status(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._read_status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("crewai-runner serve", timeout or 0)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _read_status(self, timeout: float | None) -> int | None:
        if not self._has_ended:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status_file, selectors.EVENT_READ)
                if not selector.select(timeout):
                    return None
            content = os.read(self._status_file, STATUS_BYTES)
            os.close(self._status_file)
            self._status = int.from_bytes(content, "big", signed=True)
            self._has_ended = True
        return self._status


class ServerTemplate:
    """The process that servers are forked from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.server_template", str(other.fileno())],
                cwd=BACKEND,
                pass_fds=[other.fileno()],
            )

    def fork(self, environment: Mapping[str, str], log: IO[bytes]) -> ForkedServer:
        """Start a server whose standard error is `log`."""
        output, output_end = os.pipe()
        status, status_end = os.pipe()
        files = array.array("i", [output_end, log.fileno(), status_end])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)]
        with self._lock:
            self._socket.sendmsg([json.dumps(dict(environment)).encode()], rights)
            pid = int.from_bytes(self._socket.recv(8), "big")
        os.close(output_end)
        os.close(status_end)
        assert pid, "the process that servers are forked from has ended"
        return ForkedServer(pid, os.fdopen(output, "rb"), status)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


_starting = threading.Lock()
_templates: list[ServerTemplate] = []


def server_template() -> ServerTemplate:
    """Start the template of this test process at its first use; threads may start servers at once."""
    with _starting:
        if not _templates:
            _templates.append(ServerTemplate())
        return _templates[0]


def close_server_template() -> None:
    while _templates:
        _templates.pop().close()


class _Template:
    """Forks a server for each message, and reports how each ended.

    It has a single thread: others would not exist in the servers.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._servers: dict[int, tuple[int, int]] = {}
        """The process and the status file by the process's file handle."""

    def run(self) -> None:
        """Fork until the test process ends; then end the servers that still run."""
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._servers:
                    self._report(key.fd)
                    continue
                message, files, _, _ = socket.recv_fds(self._connection, MAX_MESSAGE_BYTES, 3)
                if not message:
                    for pid, _ in self._servers.values():
                        os.kill(pid, signal.SIGKILL)
                    return
                self._fork(json.loads(message), files)

    def _fork(self, environment: dict[str, str], files: list[int]) -> None:
        output, log, status = files
        pid = os.fork()
        if pid == 0:
            self._close()
            os.close(status)
            _serve(environment, output, log)
        os.close(output)
        os.close(log)
        handle = os.pidfd_open(pid)
        self._servers[handle] = (pid, status)
        self._selector.register(handle, selectors.EVENT_READ)
        self._connection.send(pid.to_bytes(8, "big"))

    def _report(self, handle: int) -> None:
        self._selector.unregister(handle)
        pid, status_file = self._servers.pop(handle)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(status_file, status.to_bytes(STATUS_BYTES, "big", signed=True))
        os.close(status_file)
        os.close(handle)

    def _close(self) -> None:
        """Close in a server what belongs to the template."""
        for handle, (_, status_file) in self._servers.items():
            os.close(handle)
            os.close(status_file)
        self._selector.close()
        self._connection.close()


def _serve(environment: dict[str, str], output: int, log: int) -> None:
    os.dup2(output, 1)
    os.dup2(log, 2)
    os.close(output)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["crewai-runner", "serve"]
    status = 1
    try:
        status = main(["serve"])
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


def _import_everything() -> None:
    """Import what the server imports while it starts."""
    from crewai_runner.executor.crew.compat import environment

    environment.import_engine(Path(tempfile.gettempdir()))
    from crewai_runner import main as application  # noqa: F401
    from crewai_runner.executor.crew import self_test  # noqa: F401
    from crewai_runner.executor.crew.attempt import attempt, deadline  # noqa: F401
    from crewai_runner.executor.crew.llm import completion, retry_logging  # noqa: F401


if __name__ == "__main__":
    _import_everything()
    gc.collect()
    gc.freeze()
    _Template(socket.socket(fileno=int(sys.argv[1]))).run()
