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
    """Read files of the server."""
    found = []
    for path in paths:
        try:
            Path(path).read_bytes()
        except OSError:
            continue
        found.append(path)
    return found


def connect(ports: list[int]) -> list[str]:
    """Open connections to listeners of this machine, and find a way to the network."""
    found = []
    for port in ports:
        with socket.socket() as client:
            client.settimeout(2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                found.append(f"port {port} of the server")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        try:
            datagrams.connect(("192.0.2.1", 9))  # only looks for a route: nothing is sent
            found.append("a route to other networks")
        except OSError:
            pass
    return found


def list_processes(names: list[str]) -> list[str]:
    """See a process outside: by its command line."""
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
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


def write(_: object) -> list[str]:
    """Write outside the work folder."""
    found = []
    for place in WRITTEN_PLACES:
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
    found = [name for name in ("CapEff", "CapPrm", "CapBnd") if int(status[name], 16)]
    if status["NoNewPrivs"].strip() != "1":
        found.append("NoNewPrivs is off")
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0:
        found.append("a user namespace")
    return found


ATTEMPTS: dict[str, Callable[[list[Any]], list[str]]] = {
    "files": read_files,
    "network": connect,
    "processes": list_processes,
    "environment": read_environment,
    "writing": write,
    "rights": gain_rights,
}


def main() -> None:
    given = json.loads(os.environ["ATTEMPTS"])
    found = {name: attempt(given.get(name, [])) for name, attempt in ATTEMPTS.items()}
    print(json.dumps({name: places for name, places in found.items() if places}))  # noqa: T201


if __name__ == "__main__":
    main()
