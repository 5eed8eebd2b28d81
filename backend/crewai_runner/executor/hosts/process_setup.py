"""Sets up a process that runs crews: no settings in its environment, no life without its parent."""

import ctypes
import os
import signal
import sys

from crewai_runner.core.settings import Settings

_PR_SET_PDEATHSIG = 1
"""From Linux's <sys/prctl.h>: the signal that a process receives when its parent dies."""


def remove_settings_from_environment() -> None:
    """Remove the product's settings, passwords included: nothing that runs in a crew may read them."""
    names = {name.upper() for name in Settings.model_fields}
    for variable in list(os.environ):
        if variable.upper().removesuffix("_FILE") in names:
            del os.environ[variable]


def die_with_parent() -> None:
    """Have Linux kill this process when its parent dies; elsewhere a host notices the closed connection."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def ignore_stop_signals() -> None:
    """Ignore signals that a terminal or a service manager sends to the process group: the worker decides."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def resident_megabytes() -> int:
    """Return the memory of this process that is in RAM, in megabytes; 0 where it is unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            pages = int(file.read().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // (1024 * 1024)
