"""Records audit events of the interpreter: processes, connections, files, executed code."""

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

_recordings: list[tuple[frozenset[str], list[str]]] = []
_hook_installed = threading.Event()


@contextmanager
def record_audit_events(*kinds: frozenset[str]) -> Iterator[list[str]]:
    """Record audit events of these kinds in all threads, as `event: first argument`."""
    if not _hook_installed.is_set():
        _hook_installed.set()
        sys.addaudithook(_record)  # a hook cannot be removed
    seen: list[str] = []
    entry = (frozenset().union(*kinds), seen)
    _recordings.append(entry)
    try:
        yield seen
    finally:
        _recordings.remove(entry)


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    for events, seen in _recordings:
        if event in events:
            seen.append(f"{event}: {arguments[0] if arguments else ''!r}")
