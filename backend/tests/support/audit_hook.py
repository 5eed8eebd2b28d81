"""Watches what the interpreter does to the outside world."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROCESS_EVENTS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.startfile"}
)
NETWORK_EVENTS = frozenset(
    {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"}
)
FILE_EVENTS = frozenset({"open", "os.listdir", "os.remove", "os.rename", "os.mkdir", "shutil.copyfile"})
CODE_EVENTS = frozenset({"import", "exec", "compile", "pickle.find_class", "marshal.loads"})

_watched: list[tuple[frozenset[str], list[str]]] = []
_hooked = threading.Event()


@contextmanager
def record_audit_events(*kinds: frozenset[str]) -> Iterator[list[str]]:
    """What happens meanwhile of these kinds, in any thread: `event: first argument`."""
    if not _hooked.is_set():
        _hooked.set()
        sys.addaudithook(_hear)  # stays for the life of the process, and does nothing between tests
    seen: list[str] = []
    entry = (frozenset().union(*kinds), seen)
    _watched.append(entry)
    try:
        yield seen
    finally:
        _watched.remove(entry)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for events, seen in _watched:
        if event in events:
            seen.append(f"{event}: {arguments[0] if arguments else ''!r}")
