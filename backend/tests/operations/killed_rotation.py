"""A rotation that kills itself with SIGKILL at a chosen point.

`python -m tests.operations.killed_rotation POINT DATA_DIR DATABASE_URL`
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crewai_runner.core import secret_key
from crewai_runner.core.settings import Settings
from crewai_runner.operations import reencryption, rotation

POINTS = [
    "before the new key is in the file",
    "when the new key is in the file",
    "in the middle of a batch",
    "between two batches",
    "before the old key leaves the file",
    "while the old key leaves the file",
]


def kill_self(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at_call(number: int, original: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """Wrap a function so that its nth call kills the process, before or after the call."""
    calls = iter(range(1, 1_000_000))

    def wrapped(*arguments: Any, **more: Any) -> Any:
        if (mine := next(calls)) == number and not after:
            kill_self()
        answer = original(*arguments, **more)
        if mine == number:
            kill_self()
        return answer

    return wrapped


def prepare(point: str) -> None:
    reencryption.BATCH_SIZE = 2
    index = POINTS.index(point)
    if index in (0, 5):
        # Within write_keys: the temporary file exists and has not replaced the key file.
        secret_key.os.fsync = kill_at_call(1 if index == 0 else 3, os.fsync)  # type: ignore[assignment]
    elif index in (1, 4):
        number, after = (1, True) if index == 1 else (2, False)
        rotation.write_keys = kill_at_call(number, secret_key.write_keys, after=after)  # type: ignore[assignment]
    elif index == 2:
        reencryption._reencrypt = kill_at_call(2, reencryption._reencrypt)  # type: ignore[assignment]
    else:
        reencryption.unit_of_work = kill_at_call(2, reencryption.unit_of_work)  # type: ignore[assignment]


if __name__ == "__main__":
    _, chosen, folder, url = sys.argv
    prepare(chosen)
    settings = Settings(_env_file=None, data_dir=Path(folder), database_url=url)  # type: ignore[call-arg]
    asyncio.run(rotation.rotate(settings, settle_seconds=0.01))
