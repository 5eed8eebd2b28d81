"""Rotate the secret key while the product runs; secrets stay readable if the rotation is killed."""

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
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.reencryption import reencrypt_once

SETTLE_SECONDS = 3.0
"""Maximum time between encrypting a secret and storing it in a running server."""
MAX_PASSES = 20


@dataclass
class Rotation:
    """The result. `dropped` and `kept`: numbers of old keys removed from and left in the key file."""

    secrets: int = 0
    reencrypted: int = 0
    unreadable: list[str] = field(default_factory=list)
    key_is_new: bool = False
    dropped: int = 0
    kept: int = 0

    @property
    def is_complete(self) -> bool:
        return not self.unreadable


async def rotate(settings: Settings, settle_seconds: float = SETTLE_SECONDS) -> Rotation:
    """Re-encrypt every stored secret with the newest key. Raises OperationError, SQLAlchemyError."""
    if settings.secret_key:
        return await _reencrypt(settings, [key.get_secret_value() for key in settings.secret_key], 0)
    path = settings.data_dir / SECRET_KEY_FILE
    with _lock_folder(path):
        return await _rotate_file(settings, path, settle_seconds)


async def _rotate_file(settings: Settings, path: Path, settle_seconds: float) -> Rotation:
    keys = read_keys(path)
    # Two keys in the file: an earlier rotation was interrupted and is completed now.
    is_new = len(keys) == 1
    if is_new:
        keys = [Fernet.generate_key().decode(), *keys]
        # The file comes first: running servers reload it and can decrypt with both keys from now on.
        write_keys(path, keys)
    result = await _reencrypt(settings, keys, settle_seconds)
    result.key_is_new = is_new
    if result.is_complete:
        write_keys(path, keys[:1])
    result.dropped, result.kept = (len(keys) - 1, 0) if result.is_complete else (0, len(keys) - 1)
    return result


async def _reencrypt(settings: Settings, keys: Sequence[str], settle_seconds: float) -> Rotation:
    engine = make_engine(settings.database, pool_size=2)
    try:
        return await _reencrypt_until_stable(make_sessions(engine), keys, settle_seconds)
    finally:
        await engine.dispose()


async def _reencrypt_until_stable(sessions: Sessions, keys: Sequence[str], settle_seconds: float) -> Rotation:
    """Repeat passes until one changes nothing: servers may still have used the old key."""
    result, has_settled = Rotation(), settle_seconds == 0
    for _ in range(MAX_PASSES):
        pass_result = await reencrypt_once(sessions, keys)
        result.reencrypted += pass_result.reencrypted
        result.unreadable = pass_result.unreadable
        result.secrets = (
            pass_result.up_to_date
            + pass_result.reencrypted
            + pass_result.changed_meanwhile
            + len(pass_result.unreadable)
        )
        if has_settled and not pass_result.reencrypted and not pass_result.changed_meanwhile:
            return result
        await asyncio.sleep(settle_seconds)
        has_settled = True
    raise OperationError(
        "Secrets are still being encrypted with an old key: restart every process with the new key first."
    )


@contextmanager
def _lock_folder(path: Path) -> Iterator[None]:
    """Allow one rotation at a time. Locks the key file's folder, because the file itself is replaced."""
    if not path.is_file():
        raise OperationError(
            f"The key file {path} does not exist: nothing has been encrypted yet, or SECRET_KEY is not set."
        )
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise OperationError("Another process is rotating the key.") from None
    finally:
        os.close(descriptor)
