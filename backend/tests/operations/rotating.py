"""A rotation that kills itself at a chosen point, as `kill -9` would.

`python -m tests.operations.rotating POINT DATA_DIR DATABASE_URL`
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
from crewai_runner.operations import rotation, seals

POINTS = [
    "before the new key is in the file",
    "when the new key is in the file",
    "in the middle of a batch",
    "between two batches",
    "before the old key leaves the file",
    "while the old key leaves the file",
]


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(number: int, original: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
    """The function, with an end at its nth call, before or after its work."""
    calls = iter(range(1, 1_000_000))

    def wrapped(*arguments: Any, **more: Any) -> Any:
        if (mine := next(calls)) == number and not after:
            die()
        answer = original(*arguments, **more)
        if mine == number:
            die()
        return answer

    return wrapped


def prepare(point: str) -> None:
    seals.BATCH = 2
    place = POINTS.index(point)
    if place in (0, 5):
        # Within write_keys: what is written aside is there, and has not taken the file's place.
        secret_key.os.fsync = at_call(1 if place == 0 else 3, os.fsync)  # type: ignore[assignment]
    elif place in (1, 4):
        number, after = (1, True) if place == 1 else (2, False)
        rotation.write_keys = at_call(number, secret_key.write_keys, after=after)  # type: ignore[assignment]
    elif place == 2:
        seals._reseal = at_call(2, seals._reseal)  # type: ignore[assignment]
    else:
        seals.unit_of_work = at_call(2, seals.unit_of_work)  # type: ignore[assignment]


if __name__ == "__main__":
    _, chosen, folder, url = sys.argv
    prepare(chosen)
    settings = Settings(_env_file=None, data_dir=Path(folder), database_url=url)  # type: ignore[call-arg]
    asyncio.run(rotation.rotate(settings, settle_seconds=0.01))
