"""A seccomp filter for the sandbox: refuses system calls that attacks use and programs do not need.

It is no boundary by itself: the namespaces are. It makes less of the kernel reachable. The program is classic
BPF, as bubblewrap's `--seccomp` reads it. Pure.
"""

import errno
import platform
import struct
from collections.abc import Iterable

_ANY_MACHINE = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
}
_NAMES = (
    *("add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "ptrace"),
    *("process_vm_readv", "process_vm_writev", "open_by_handle_at", "fanotify_init", "syslog", "quotactl"),
    *("mount", "umount2", "pivot_root", "chroot", "swapon", "swapoff", "reboot", "acct"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
)
_X86_64 = (
    *(248, 249, 250, 321, 298, 323, 101),
    *(310, 311, 304, 300, 103, 179),
    *(165, 166, 155, 161, 167, 168, 169, 163),
    *(175, 313, 176, 246, 320),
)
_AARCH64 = (
    *(217, 218, 219, 280, 241, 282, 117),
    *(270, 271, 265, 262, 116, 60),
    *(40, 39, 41, 51, 224, 225, 142, 89),
    *(105, 273, 106, 104, 294),
)
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
"""The architecture's number in <linux/audit.h>, and the numbers of the calls in the order of their names."""
_X32_CALLS = 0x40000000
"""Calls of another convention on x86-64, with numbers of their own."""

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06
_ARCHITECTURE_OFFSET, _NUMBER_OFFSET = 4, 0
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000 | errno.EPERM


def refused_calls(machine: str) -> dict[str, int]:
    """Return the numbers of the refused system calls by name."""
    return {**_ANY_MACHINE, **dict(zip(_NAMES, _MACHINES[machine][1], strict=True))}


def build_filter(machine: str | None = None) -> bytes | None:
    """Return the filter, None for a machine whose numbers are not known. Refused calls fail with EPERM."""
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        return None
    return b"".join(_instructions(_MACHINES[machine][0], sorted(refused_calls(machine).values())))


def _instructions(architecture: int, numbers: list[int]) -> Iterable[bytes]:
    # Jumps count the instructions to skip: those that remain before the last one, which refuses.
    yield _instruction(_LOAD, _ARCHITECTURE_OFFSET)
    yield _instruction(_JUMP_EQUAL, architecture, otherwise=len(numbers) + 3)
    yield _instruction(_LOAD, _NUMBER_OFFSET)
    yield _instruction(_JUMP_GREATER_EQUAL, _X32_CALLS, then=len(numbers) + 1)
    for index, number in enumerate(numbers):
        yield _instruction(_JUMP_EQUAL, number, then=len(numbers) - index)
    yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _ERROR)


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
