"""The users that commands run as: one for each, without rights of its own. All functions block.

The service has two rights of root, to become another user or group. So it acts on files and processes of a
user by becoming that user: it could not do so as root.
"""

import contextlib
import ctypes
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

FIRST_USER, USERS = 20_000, 40_000
"""User ids that images do not assign, and that exist where the engine itself runs without root."""
END_SECONDS = 10.0
_POLL_SECONDS = 0.01
_LIBC = ctypes.CDLL(None, use_errno=True)
_PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


class UserStillRuns(Exception):
    """Processes of a user could not be ended."""


@dataclass(slots=True)
class UserPool:
    """Hands out user ids in turn, so that one is used again as late as possible."""

    _used: set[int] = field(default_factory=set)
    _next: int = field(default_factory=lambda: secrets.randbelow(USERS))

    def take(self) -> int:
        """Return an id that no command has."""
        while True:
            user = FIRST_USER + self._next
            self._next = (self._next + 1) % USERS
            if user not in self._used:
                self._used.add(user)
                return user

    def give_back(self, user: int) -> None:
        self._used.discard(user)


@contextlib.contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Use files as this user, in this thread only."""
    _LIBC.setfsgid(user)
    _LIBC.setfsuid(user)
    try:
        if _LIBC.setfsuid(-1) != user:
            raise PermissionError(f"the service may not act as user {user}: it lacks CAP_SETUID")
        yield
    finally:
        _LIBC.setfsuid(0)
        _LIBC.setfsgid(0)


def run_as(user: int, *command: str) -> bool:
    """Run a program of the system as this user; return whether it has succeeded."""
    done = subprocess.run(  # noqa: S603 - the commands are constants
        command, user=user, group=user, extra_groups=[], env=_PATH, check=False, capture_output=True
    )
    return done.returncode == 0


def signal_all(user: int, name: str) -> None:
    """Send a signal to every process of a user, at once for all: none can escape by forking."""
    run_as(user, "/bin/sh", "-c", f"kill -s {name} -- -1")


def end_all(user: int) -> None:
    """Kill every process of a user and wait for their end. Raises UserStillRuns."""
    deadline = time.monotonic() + END_SECONDS
    while any(True for _ in list_processes(user)):
        if time.monotonic() > deadline:
            raise UserStillRuns(f"processes of user {user} do not end")
        signal_all(user, "KILL")
        time.sleep(_POLL_SECONDS)


def list_processes(user: int) -> Iterator[dict[str, str]]:
    """Yield what Linux says of each process of a user that has not ended: the lines of its `status`."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - hundreds, twice a second
        if name.isdigit():
            with contextlib.suppress(OSError, KeyError):
                status = _read_status(f"/proc/{name}/status")
                if int(status["Uid"].split()[0]) == user and not status["State"].strip().startswith("Z"):
                    yield status


def _read_status(path: str) -> dict[str, str]:
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - see above
        return dict(line.split(":", 1) for line in file if ":" in line)


def remove_folder(user: int, folder: str) -> None:
    """Remove a folder of a user without processes, whatever it contains."""
    run_as(user, "/bin/sh", "-c", 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"', "sh", folder)


def unlock_folder(user: int, folder: str) -> None:
    """Let the user read everything in its folder."""
    run_as(user, "/bin/chmod", "-R", "u+rwX", "--", folder)
