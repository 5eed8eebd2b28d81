"""The seccomp filter of the sandbox service: it refuses by calls what bubblewrap refuses by namespaces.

In addition to the calls that `seccomp.py` lists: new namespaces; every socket but those of TCP, of Unix
streams and of routes; connections that are made while sending (MSG_FASTOPEN); and the memory, queues and
semaphores that processes of different users could share. Pure.
"""

import errno
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from crewai_runner.executor.projects.sandbox.seccomp import (
    ALLOW,
    ARCHITECTURE_OFFSET,
    ERROR,
    JUMP_EQUAL,
    JUMP_GREATER_EQUAL,
    LOAD,
    NUMBER_OFFSET,
    RETURN,
    X32_CALLS,
    architecture,
    instruction,
    refused_calls,
)

_JUMP_ANY_BIT, _AND = 0x45, 0x54
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_STREAM, _SOCKET_KINDS, _IPPROTO_TCP, _NETLINK_ROUTE = 1, 0xF, 6, 0
_MSG_FASTOPEN = 0x20000000
_NAMESPACES = 0x7E020000
"""The bits of `clone` that create namespaces."""
_NAMES = (
    *("unshare", "setns", "shmget", "semget", "msgget", "mq_open", "listen"),
    *("clone", "clone3", "socket", "sendto", "sendmsg", "sendmmsg"),
)
_NUMBERS = {
    "x86_64": (272, 308, 29, 64, 68, 240, 50, 56, 435, 41, 44, 46, 307),
    "aarch64": (97, 268, 194, 190, 186, 180, 201, 220, 435, 198, 206, 211, 269),
}
_REFUSED = ("unshare", "setns", "shmget", "semget", "msgget", "mq_open")


@dataclass(frozen=True, slots=True)
class _Step:
    """An instruction that jumps to labels; an empty label is the next instruction."""

    code: int
    value: int
    then: str = ""
    otherwise: str = ""


def call_numbers(machine: str) -> dict[str, int]:
    """Return the numbers of the calls that only this filter knows."""
    return dict(zip(_NAMES, _NUMBERS[machine], strict=True))


def build_call_filter(machine: str | None = None, *, can_listen: bool = True) -> bytes | None:
    """Return the filter, None for a machine whose numbers are not known.

    Without `can_listen` no socket accepts connections: for kernels where Landlock cannot keep those inside.
    """
    machine = machine or platform.machine()
    if machine not in _NUMBERS:
        return None
    return _assemble(list(_steps(machine, can_listen)))


def _steps(machine: str, can_listen: bool) -> Iterator[_Step | str]:
    numbers = call_numbers(machine)
    yield _Step(LOAD, ARCHITECTURE_OFFSET)
    yield _Step(JUMP_EQUAL, architecture(machine), otherwise="refuse")
    yield _Step(LOAD, NUMBER_OFFSET)
    yield _Step(JUMP_GREATER_EQUAL, X32_CALLS, then="refuse")
    names = _REFUSED if can_listen else (*_REFUSED, "listen")
    for number in sorted({*refused_calls(machine).values(), *(numbers[name] for name in names)}):
        yield _Step(JUMP_EQUAL, number, then="refuse")
    # The C library falls back to `clone`, whose flags a filter can read.
    yield _Step(JUMP_EQUAL, numbers["clone3"], then="unknown")
    for name in ("clone", "socket", "sendto", "sendmsg", "sendmmsg"):
        yield _Step(JUMP_EQUAL, numbers[name], then=name)
    yield _Step(RETURN, ALLOW)
    yield from _refuse_bits("clone", 0, _NAMESPACES)
    yield from _refuse_bits("sendto", 3, _MSG_FASTOPEN)
    yield from _refuse_bits("sendmsg", 2, _MSG_FASTOPEN)
    yield from _refuse_bits("sendmmsg", 3, _MSG_FASTOPEN)
    yield from _check_sockets()
    yield from ("allow", _Step(RETURN, ALLOW))
    yield from ("unknown", _Step(RETURN, ERROR | errno.ENOSYS))
    yield from ("refuse", _Step(RETURN, ERROR | errno.EPERM))


def _refuse_bits(label: str, argument: int, bits: int) -> Iterator[_Step | str]:
    yield label
    yield _load_argument(argument)
    yield _Step(_JUMP_ANY_BIT, bits, then="refuse", otherwise="allow")


def _check_sockets() -> Iterator[_Step | str]:
    yield "socket"
    yield _load_argument(0)
    for family in (_AF_UNIX, _AF_INET, _AF_INET6):
        yield _Step(JUMP_EQUAL, family, then="stream")
    yield _Step(JUMP_EQUAL, _AF_NETLINK, otherwise="refuse")
    yield _load_argument(2)
    yield _Step(JUMP_EQUAL, _NETLINK_ROUTE, then="allow", otherwise="refuse")
    yield "stream"
    yield _load_argument(1)
    yield _Step(_AND, _SOCKET_KINDS)
    yield _Step(JUMP_EQUAL, _SOCK_STREAM, otherwise="refuse")
    yield _load_argument(2)
    yield _Step(JUMP_EQUAL, 0, then="allow")
    yield _Step(JUMP_EQUAL, _IPPROTO_TCP, then="allow", otherwise="refuse")


def _load_argument(index: int) -> _Step:
    """Load the lower half of an argument: the kernel uses no more of flags and kinds. Little-endian."""
    return _Step(LOAD, 16 + 8 * index)


def _assemble(steps: list[_Step | str]) -> bytes:
    labels: dict[str, int] = {}
    program: list[_Step] = []
    for step in steps:
        if isinstance(step, str):
            labels[step] = len(program)
        else:
            program.append(step)
    return b"".join(
        instruction(
            step.code,
            step.value,
            labels[step.then] - place - 1 if step.then else 0,
            labels[step.otherwise] - place - 1 if step.otherwise else 0,
        )
        for place, step in enumerate(program)
    )
