"""Gives up the rights of root, then starts bubblewrap: a script that a server of root runs for each sandbox.

Argument: the descriptor of a JSON file with `user` (an id), `sources` and `cgroups` (paths) and `command`.
The user may not enter the folders that lead to the sources. So they are mounted, in a mount namespace of this
process, at /tmp/0, /tmp/1 and so on, which are also paths that reveal nothing. Standard library only.
"""

import ctypes
import json
import os
import stat
import sys
from pathlib import Path

STAGE = "/tmp"  # noqa: S108 - any folder that exists everywhere: it is covered by an empty file system

_CLONE_NEWNS = 0x20000
_MS_NOSUID_NODEV = 2 | 4
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def stage_sources(sources: list[str]) -> None:
    """Mount each source at `STAGE`/index, in a mount namespace that ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS), "create a mount namespace")
    _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)
    # Opened in the new namespace, which must own what it mounts, and before STAGE covers those below it.
    opened = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]
    _mount(libc, "tmpfs", STAGE, "tmpfs", _MS_NOSUID_NODEV, "mode=0755,size=1m")
    for index, source in enumerate(opened):
        target = Path(STAGE, str(index))
        if stat.S_ISDIR(os.fstat(source).st_mode):
            target.mkdir()
        else:
            target.touch()
        _mount(libc, f"/proc/self/fd/{source}", str(target), None, _MS_BIND | _MS_REC)
        os.close(source)


def _mount(
    libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    texts = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    _check(
        libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]),
        f"mount {source} at {target}",
    )


def _check(result: int, purpose: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"cannot {purpose}: {os.strerror(ctypes.get_errno())}")


def become_user(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        config = json.load(file)
    try:
        for path in config["cgroups"]:
            Path(path).write_text("0", encoding="ascii")  # this process
        stage_sources(config["sources"])
        become_user(config["user"])
        os.chdir("/")
        os.execve(config["command"][0], config["command"], {})  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"A sandbox of a server that runs as root: {error}")


if __name__ == "__main__":
    main()
