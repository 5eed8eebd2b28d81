"""Back up all stored data into one file while the product runs."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from crewai_runner import __version__
from crewai_runner.core import clock
from crewai_runner.core.api_key import API_KEY_FILE
from crewai_runner.core.secret_key import SECRET_KEY_FILE, load_secret_keys
from crewai_runner.core.settings import Settings
from crewai_runner.operations import archive, postgres_copy, sqlite_database
from crewai_runner.operations.atomic_write import atomic_write_file
from crewai_runner.operations.engine_files import ENGINE, copy_engine
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import SQLITE_MEMBER, Contents, Manifest
from crewai_runner.operations.reencryption import count_by_key

KEY_FILES = (SECRET_KEY_FILE, API_KEY_FILE)


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup. `vanished`: number of memory files deleted while they were being copied."""

    path: Path
    size: int
    manifest: Manifest
    keys: list[str]
    vanished: int
    encrypted: bool


def back_up(
    settings: Settings,
    target: Path,
    *,
    with_keys: bool = False,
    force: bool = False,
    passphrase: str | None = None,
) -> Backup:
    """Write the backup, encrypted if there is a passphrase.

    Raises OperationError, OSError and database errors.
    """
    with atomic_write_file(target, force=force) as (file, folder):
        contents = _copy_database(settings, folder / "database")
        seals, _ = asyncio.run(count_by_key(settings.database, load_secret_keys(settings)))
        vanished = copy_engine(settings.data_dir / ENGINE, folder / ENGINE)
        keys = _copy_keys(settings, folder / "keys") if with_keys else []
        manifest = Manifest(
            product_version=__version__,
            created_at=clock.now(),
            database=contents,
            seals=seals,
            members=archive.members_of(folder),
        )
        archive.pack(manifest, folder, file, passphrase)
    return Backup(target, target.stat().st_size, manifest, keys, vanished, passphrase is not None)


def _copy_database(settings: Settings, folder: Path) -> Contents:
    folder.mkdir()
    if not settings.is_embedded:
        return postgres_copy.copy_database(settings.database, folder)
    source, copy = sqlite_path(settings), folder / Path(SQLITE_MEMBER).name
    if not source.is_file():
        raise OperationError(f"The database {source} does not exist.")
    sqlite_database.copy_database(source, copy)
    return sqlite_database.contents(copy)


def sqlite_path(settings: Settings) -> Path:
    """Return the path of the SQLite database file."""
    return Path(str(make_url(settings.database).database))


def _copy_keys(settings: Settings, folder: Path) -> list[str]:
    found = [name for name in KEY_FILES if (settings.data_dir / name).is_file()]
    folder.mkdir()
    for name in found:
        shutil.copyfile(settings.data_dir / name, folder / name)
    return found
