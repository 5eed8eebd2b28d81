"""What Landlock allows a command: files, ports and signals. Pure, apart from looking at this machine."""

import ctypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

_CREATE_RULESET, _VERSION_FLAG = 444, 1
SCOPES_VERSION = 6
"""The first version that keeps signals and abstract Unix sockets inside; Linux 6.12."""
_NETWORK_VERSION = 4


class Access(IntFlag):
    """Rights of files and folders, with the numbers of <linux/landlock.h>."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
OF_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
EVERYTHING = Access((1 << 16) - 1)
WORK = EVERYTHING & ~(Access.MAKE_CHAR | Access.MAKE_BLOCK | Access.IOCTL_DEV)
MEMORY_FILES = Access.READ_FILE | Access.WRITE_FILE | Access.MAKE_REG | Access.REMOVE_FILE | Access.TRUNCATE
"""For /dev/shm: semaphores and shared memory, which are files without folders."""

_NEWER = ((2, Access.REFER), (3, Access.TRUNCATE), (5, Access.IOCTL_DEV))
"""Rights that the first version lacks, with the version that added each."""
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_PUBLIC_FILES = (
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/ld.so.cache", "/etc/ld.so.conf"),
    *("/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/hosts", "/etc/passwd", "/etc/group"),
    *("/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/protocols", "/etc/services"),
    *("/etc/os-release", "/etc/debian_version"),
)
_PROC = ("self", "cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime", "version")
"""What is read in /proc: the machine's figures and the command's own process, no other process.

`self` is resolved by the command itself, before its program starts.
"""
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")
_CONNECT_AND_BIND, _SIGNALS_AND_ABSTRACT_SOCKETS = 3, 3


@dataclass(frozen=True, slots=True)
class LandlockRules:
    """What is refused by default (`files`, `network`, `scopes`), and what is allowed."""

    files: int
    network: int
    scopes: int
    paths: tuple[tuple[str, int], ...]
    ports: tuple[int, ...]


def find_version() -> int:
    """Return the version of Landlock; 0 where the kernel has none, or where it may not be used."""
    version: int = ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    return max(0, version)


def build_rules(
    version: int, readable: Iterable[str], writable: Iterable[str], ports: Iterable[int]
) -> LandlockRules:
    """Return the rules for a version of Landlock. Paths that do not exist are left out."""
    handled = EVERYTHING
    for first, access in _NEWER:
        if version < first:
            handled &= ~access
    paths = [
        *((path, READ) for path in (*_SYSTEM, *_PUBLIC_FILES, *readable)),
        *((f"/proc/{name}", READ & ~Access.EXECUTE) for name in _PROC),
        *((path, Access.READ_FILE | Access.WRITE_FILE) for path in _DEVICES),
        ("/dev/shm", MEMORY_FILES),  # noqa: S108
        *((path, WORK) for path in writable),
    ]
    return LandlockRules(
        files=int(handled),
        network=_CONNECT_AND_BIND if version >= _NETWORK_VERSION else 0,
        scopes=_SIGNALS_AND_ABSTRACT_SOCKETS if version >= SCOPES_VERSION else 0,
        paths=tuple(_existing(paths, handled)),
        ports=tuple(ports),
    )


def _existing(paths: Iterable[tuple[str, Access]], handled: Access) -> Iterator[tuple[str, int]]:
    for path, access in paths:
        target = Path(path)
        if target.exists():
            allowed = access & handled if target.is_dir() else access & handled & OF_FILES
            yield path, int(allowed)
