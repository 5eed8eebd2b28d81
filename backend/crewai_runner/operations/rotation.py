"""A new key for stored secrets, while the product runs; whoever is killed on the way leaves all readable."""

import asyncio
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from crewai_runner.core.secret_key import SECRET_KEY_FILE, read_keys, write_keys
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions, make_engine, make_sessions
from crewai_runner.operations.refusal import Refused
from crewai_runner.operations.seals import reseal_once

SETTLE_SECONDS = 3.0
"""How long a running server may take from sealing a secret to storing it."""
MOST_PASSES = 20


@dataclass
class Rotation:
    """What was done. `dropped`: how many old keys left the file; `kept`: how many had to stay in it."""

    secrets: int = 0
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)
    key_is_new: bool = False
    dropped: int = 0
    kept: int = 0

    @property
    def complete(self) -> bool:
        return not self.unreadable


async def rotate(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> Rotation:
    """Seal every stored secret under the newest key. Raises Refused, SQLAlchemyError."""
    if settings.secret_key:
        return await _reseal(settings, [key.get_secret_value() for key in settings.secret_key], 0)
    path = settings.data_dir / SECRET_KEY_FILE
    with _alone_with(path):
        return await _rotate_file(settings, path, settle_seconds)


async def _rotate_file(settings: Settings, path: Path, settle_seconds: float) -> Rotation:
    keys = read_keys(path)
    # With two keys in the file an earlier rotation was cut short: it is brought to its end.
    fresh = len(keys) == 1
    if fresh:
        keys = [Fernet.generate_key().decode(), *keys]
        # First the file, then the rows: running servers follow it, and can open both from now on.
        write_keys(path, keys)
    done = await _reseal(settings, keys, settle_seconds)
    done.key_is_new = fresh
    if done.complete:
        write_keys(path, keys[:1])
    done.dropped, done.kept = (len(keys) - 1, 0) if done.complete else (0, len(keys) - 1)
    return done


async def _reseal(settings: Settings, keys: Sequence[str], settle_seconds: float) -> Rotation:
    engine = make_engine(settings.database, pool_size=2)
    try:
        return await _until_still(make_sessions(engine), keys, settle_seconds)
    finally:
        await engine.dispose()


async def _until_still(sessions: Sessions, keys: Sequence[str], settle_seconds: float) -> Rotation:
    """Pass after pass until one finds nothing to do: a server may have sealed under the old key meanwhile."""
    done, rested = Rotation(), settle_seconds == 0
    for _ in range(MOST_PASSES):
        step = await reseal_once(sessions, keys)
        done.resealed += step.resealed
        done.unreadable = step.unreadable
        done.secrets = step.fresh + step.resealed + step.overtaken + len(step.unreadable)
        if rested and not step.resealed and not step.overtaken:
            return done
        await asyncio.sleep(settle_seconds)
        rested = True
    raise Refused("Secrets keep being sealed under an old key: restart every process with the new key first.")


@contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """One rotation of a key file at a time; its folder is locked, so that the file can be replaced."""
    if not path.is_file():
        raise Refused(f"There is no key file {path}: nothing was sealed yet, or SECRET_KEY is missing here.")
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused("Another process is replacing the key.") from None
    finally:
        os.close(descriptor)
