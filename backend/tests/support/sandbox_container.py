"""Starts the sandbox service as its container does: two rights of root, no network, no files of root's home.

As a module to run: `SOCKET RUNS`. Requires root on Linux.
"""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from crewai_runner.executor.projects.sandbox.agent.places import ServicePlaces

CAP_SETGID, CAP_SETUID, CAPABILITIES = 6, 7, 41
START_SECONDS = 30.0
WORKERS = 54_321
"""The group that the workers and the service share."""
BACKEND = Path(__file__).parents[2]
_CLONE_NEWNS, _CLONE_NEWNET = 0x20000, 0x40000000
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_MS_BIND = 0x1000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


class SandboxContainer:
    """The service as a process of this machine."""

    def __enter__(self) -> "SandboxContainer":
        self._root = Path(tempfile.mkdtemp(prefix="crewai-runner-service-"))
        self._root.chmod(0o755)
        shared, runs = self._root / "shared", self._root / "runs"
        shared.mkdir(mode=0o770)
        os.chown(shared, 0, WORKERS)
        runs.mkdir()
        self.places = ServicePlaces(shared / "sandbox.sock", runs)
        self.log = (self._root / "log").open("w+b")
        try:
            self._start()
        except BaseException:
            self.log.close()
            raise
        return self

    def _start(self) -> None:
        command = [sys.executable, "-m", __name__, str(self.places.socket), str(self.places.runs)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=BACKEND)
        deadline = time.monotonic() + START_SECONDS
        while not self.places.socket.exists():
            assert self.process.poll() is None, self.read_log()
            assert time.monotonic() < deadline, self.read_log()
            time.sleep(0.02)

    def restart(self) -> None:
        """Kill the service, and start it again."""
        self.process.kill()
        self.process.wait()
        self.places.socket.unlink()
        self._start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.log.close()
            shutil.rmtree(self._root, ignore_errors=True)

    def read_log(self) -> str:
        return (self._root / "log").read_text(errors="replace")


def enter(prefix: Path) -> None:
    """Leave the network, make an installation of Python readable by everyone, and give up rights."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    closed = [folder for folder in prefix.parents if not folder.stat().st_mode & 0o001]
    if closed:
        _uncover(libc, closed[-1], prefix)
    for capability in range(CAPABILITIES):
        if capability not in (CAP_SETGID, CAP_SETUID):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _uncover(libc: ctypes.CDLL, closed: Path, prefix: Path) -> None:
    """Replace a folder that not everyone may enter by one that has nothing but the prefix."""
    opened = os.open(prefix, os.O_PATH)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(closed)], check=True)
    prefix.mkdir(parents=True)
    # Not by mount(8), which would resolve the link.
    source = f"/proc/self/fd/{opened}".encode()
    if libc.mount(source, os.fsencode(prefix), None, ctypes.c_ulong(_MS_BIND), None):
        raise OSError(ctypes.get_errno(), "mount")


def main() -> None:
    enter(Path(sys.base_prefix).resolve())
    arguments = ["-m", "crewai_runner", "sandbox", "--socket", sys.argv[1], "--runs", sys.argv[2]]
    os.execve(sys.executable, [sys.executable, *arguments], {"PATH": os.defpath})


if __name__ == "__main__":
    main()
