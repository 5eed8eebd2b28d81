"""Tries to leave the sandbox: the program that the self-test runs inside. Standard library only.

Reads one JSON object from the environment variable ATTEMPTS, and prints one with the attempts that succeeded,
each with what was found. Nothing is changed where there is no sandbox.
"""

import ctypes
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLONE_NEWUSER = 0x10000000
EXPECTED_VARIABLES = {"LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PWD"}
WRITTEN_PLACES = (
    "/",
    "/dev",
    "/etc",
    "/opt",
    "/project",
    "/environment",
    "/usr",
    "/opt/runner/guest",
    "/proc/sys",
)


def read_files(paths: list[str]) -> list[str]:
    """Read files of the server, or list its folders."""
    found = []
    for path in paths:
        try:
            if Path(path).is_dir():
                os.listdir(path)  # noqa: PTH208 - fails at once
            else:
                Path(path).read_bytes()
        except OSError:
            continue
        found.append(path)
    return found


def connect_ports(ports: list[int]) -> list[str]:
    """Open connections to listeners of this machine, and find a way to the network."""
    found = []
    for port in ports:
        with socket.socket() as client:
            client.settimeout(2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                found.append(f"port {port} of the server")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.connect(("192.0.2.1", 9))  # only looks for a route: nothing is sent
            found.append("a route to other networks")
    except OSError:
        pass
    return found


def list_processes(names: list[str]) -> list[str]:
    """See a process outside: by its command line."""
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names are enough
    except OSError:
        processes = [str(number) for number in range(1, 5000)]
    found: list[str] = []
    for process in processes:
        if int(process) == os.getpid():
            continue
        try:
            line = Path("/proc", process, "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        found += [name for name in names if name in line]
    return found


def read_environment(_: object) -> list[str]:
    """Read the environment of process 1, which must not be the server's."""
    try:
        entries = Path("/proc/1/environ").read_bytes().split(b"\0")
    except OSError:
        return []
    names = {entry.partition(b"=")[0].decode("utf-8", "replace") for entry in entries if entry}
    return sorted(names - EXPECTED_VARIABLES)


def connect_sockets(paths: list[str]) -> list[str]:
    """Connect to Unix sockets."""
    found = []
    for path in paths:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(path) == 0:
                found.append(path)
    return found


def write(places: list[str]) -> list[str]:
    """Write outside the work folder."""
    found = []
    for place in (*WRITTEN_PLACES, *places):
        path = Path(place, "crewai-runner-self-test")
        try:
            path.touch()
        except OSError:
            continue
        found.append(place)
        path.unlink(missing_ok=True)
    return found


def gain_rights(_: object) -> list[str]:
    """Hold a capability, be able to gain one, or create a user namespace."""
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    # What could be gained (CapBnd) cannot be, if a process may not gain rights.
    found = [name for name in ("CapEff", "CapPrm", "CapInh", "CapAmb") if int(status[name], 16)]
    if status["NoNewPrivs"].strip() != "1":
        found.append("NoNewPrivs is off")
    if os.getuid() == 0:
        found.append("the user root")
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0:
        found.append("a user namespace")
    return found


ATTEMPTS: dict[str, Callable[[list[Any]], list[str]]] = {
    "files": read_files,
    "network": connect_ports,
    "processes": list_processes,
    "environment": read_environment,
    "writing": write,
    "sockets": connect_sockets,
    "rights": gain_rights,
}


def main() -> None:
    given = json.loads(os.environ["ATTEMPTS"])
    found = {name: attempt(given.get(name, [])) for name, attempt in ATTEMPTS.items()}
    print(json.dumps({name: places for name, places in found.items() if places}))  # noqa: T201


if __name__ == "__main__":
    main()
