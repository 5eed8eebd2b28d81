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
X32_CALLS = 0x40000000
"""Calls of another convention on x86-64, with numbers of their own."""

LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, RETURN = 0x20, 0x15, 0x35, 0x06
ARCHITECTURE_OFFSET, NUMBER_OFFSET = 4, 0
ALLOW, ERROR = 0x7FFF0000, 0x00050000


def refused_calls(machine: str) -> dict[str, int]:
    """Return the numbers of the refused system calls by name."""
    return {**_ANY_MACHINE, **dict(zip(_NAMES, _MACHINES[machine][1], strict=True))}


def architecture(machine: str) -> int:
    """Return the number that Linux has for a machine whose calls are known."""
    return _MACHINES[machine][0]


def build_filter(machine: str | None = None) -> bytes | None:
    """Return the filter, None for a machine whose numbers are not known. Refused calls fail with EPERM."""
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        return None
    return b"".join(_instructions(_MACHINES[machine][0], sorted(refused_calls(machine).values())))


def _instructions(number: int, numbers: list[int]) -> Iterable[bytes]:
    # Jumps count the instructions to skip: those that remain before the last one, which refuses.
    yield instruction(LOAD, ARCHITECTURE_OFFSET)
    yield instruction(JUMP_EQUAL, number, otherwise=len(numbers) + 3)
    yield instruction(LOAD, NUMBER_OFFSET)
    yield instruction(JUMP_GREATER_EQUAL, X32_CALLS, then=len(numbers) + 1)
    for index, call in enumerate(numbers):
        yield instruction(JUMP_EQUAL, call, then=len(numbers) - index)
    yield instruction(RETURN, ALLOW)
    yield instruction(RETURN, ERROR | errno.EPERM)


def instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Return one instruction; jumps count the instructions to skip."""
    return struct.pack("=HBBI", code, then, otherwise, value)
