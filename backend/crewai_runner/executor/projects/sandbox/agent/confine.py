"""Confines itself, then becomes the command: a script that the sandbox service starts for each command.

Arguments: the descriptor of a JSON file, and a descriptor to which an error is written; the start of the
command closes it. The file has `command`, `environment`, `directory`, `user` (an id), `limits` (of
`resource`), `seccomp` (base64), and for Landlock: `files`, `network` and `scopes` (refused by default),
`paths` (pairs of a path and what is allowed below it) and `ports` (that may be contacted). Standard library
only.
"""

import base64
import ctypes
import errno
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any

NICE = 5
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH, _NET_PORT = 1, 2
_CONNECT_TCP = 2
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2

LIBC = ctypes.CDLL(None, use_errno=True)


class FilterProgram(ctypes.Structure):
    """`struct sock_fprog` of <linux/filter.h>."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def check(result: int, purpose: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot {purpose}: {os.strerror(number)}")
    return result


def set_limits(limits: "dict[str, int]") -> None:
    """Set each limit, soft and hard; one that is already lower stays."""
    for name, value in limits.items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (bound, bound))


def become_user(user: int) -> None:
    """Give up every right of root, also those that a program could grant."""
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # ended before the service is
    os.nice(NICE)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    check(LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "give up further rights")


def restrict_access(config: "dict[str, Any]") -> None:
    """Allow only the given files and ports, and signals only to processes of this command."""
    files, network, scopes = config["files"], config["network"], config["scopes"]
    numbers = struct.pack("=QQQ", files, network, scopes)
    size = 24 if scopes else 16 if network else 8
    ruleset = check(LIBC.syscall(_CREATE_RULESET, numbers[:size], size, 0), "create rules of Landlock")
    for path, access in config["paths"]:
        target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", access, target)
        check(LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), "allow " + path)
        os.close(target)
    for port in config["ports"] if network else ():
        rule = struct.pack("=QQ", _CONNECT_TCP, port)
        check(LIBC.syscall(_ADD_RULE, ruleset, _NET_PORT, rule, 0), "allow port " + str(port))
    check(LIBC.syscall(_RESTRICT_SELF, ruleset, 0), "apply rules of Landlock")
    os.close(ruleset)


def refuse_calls(program: bytes) -> None:
    filter_program = FilterProgram(len(program) // 8, program)
    arguments = (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_program), 0, 0)
    check(LIBC.prctl(*arguments), "apply the filter of system calls")


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        config = json.load(file)
    status = int(sys.argv[2])
    os.set_inheritable(status, False)
    try:
        set_limits(config["limits"])
        become_user(config["user"])
        os.umask(0o022)
        restrict_access(config)
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(config["directory"])
        os.environ["PATH"] = config["environment"].get("PATH", os.defpath)  # where execvpe searches
        refuse_calls(base64.b64decode(config["seccomp"]))
        os.execvpe(config["command"][0], config["command"], config["environment"])  # noqa: S606
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "error")
        os.write(status, (name + ": " + str(error)).replace("\n", " ")[:500].encode())
        os._exit(127)


if __name__ == "__main__":
    main()
