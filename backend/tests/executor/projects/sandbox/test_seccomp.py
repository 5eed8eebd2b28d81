"""The seccomp filter: interpreted by a small model of the kernel's machine, and applied by the real one."""

import errno
import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.executor.projects.sandbox.seccomp import build_filter, refused_calls
from tests.executor.projects.sandbox.runner import ProgramRunner

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def interpret(program: bytes, architecture: int, number: int) -> int:
    """Execute the instructions that the filter uses; return its verdict."""
    instructions = list(struct.iter_unpack("=HBBI", program))
    loaded, place = 0, 0
    while True:
        code, then, otherwise, value = instructions[place]
        if code == 0x06:
            return int(value)
        if code == 0x20:
            loaded = {0: number, 4: architecture}[value]
        else:
            matches = loaded == value if code == 0x15 else loaded >= value
            place += then if matches else otherwise
        place += 1


class TestFilter:
    @pytest.mark.parametrize("machine", ARCHITECTURES)
    @given(number=st.integers(0, 2**32 - 1) | st.integers(0, 500))
    def test_refuses_exactly_the_list(self, machine: str, number: int) -> None:
        program = build_filter(machine)
        assert program is not None

        is_refused = number in refused_calls(machine).values() or number >= 0x40000000

        assert interpret(program, ARCHITECTURES[machine], number) == (REFUSE if is_refused else ALLOW)

    @pytest.mark.parametrize("machine", ARCHITECTURES)
    def test_refuses_other_architectures(self, machine: str) -> None:
        program = build_filter(machine)
        assert program is not None

        assert interpret(program, 0x40000003, 1) == REFUSE

    def test_unknown_machine(self) -> None:
        assert build_filter("riscv64") is None


class TestLinux:
    async def test_calls_fail_inside(self, confined: ProgramRunner) -> None:
        calls = refused_calls(platform.machine())
        names = ("io_uring_setup", "bpf", "keyctl", "userfaultfd", "perf_event_open", "ptrace", "fsopen")

        found = await confined.ask(
            "import ctypes, errno\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            f"for number in {[calls[name] for name in names]}:\n"
            "    print(libc.syscall(number, 0, 0, 0, 0, 0), errno.errorcode[ctypes.get_errno()])"
        )

        assert found.splitlines() == ["-1 EPERM"] * len(names)

    async def test_the_filter_is_on(self, confined: ProgramRunner) -> None:
        found = await confined.ask(
            "print([line for line in open('/proc/self/status') if line.startswith('Seccomp:')])"
        )

        assert found == "['Seccomp:\\t2\\n']"
