"""Restore a backup; it is verified completely before anything changes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner.core import clock
from crewai_runner.core.secret_key import key_fingerprint, load_secret_keys
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import head_revision, is_known_revision
from crewai_runner.operations import archive, postgres_restore, sqlite_database, sqlite_restore
from crewai_runner.operations.backup import KEY_FILES, back_up, sqlite_path
from crewai_runner.operations.data_dir import lock_data_dir
from crewai_runner.operations.engine_files import ENGINE
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import Manifest

WORK_FOLDER = ".restoring"


@dataclass
class Restoration:
    """The result. `kept`: paths of the replaced data; `undecryptable`: secrets no available key decrypts."""

    manifest: Manifest
    revision: str | None
    kept: list[Path] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    undecryptable: int = 0


def _no_passphrase() -> str:
    raise OperationError("The backup is encrypted, and no passphrase was given.")


def restore(
    settings: Settings,
    source: Path,
    *,
    force: bool = False,
    ask_passphrase: archive.AskPassphrase = _no_passphrase,
) -> Restoration:
    """Restore a backup; `ask_passphrase` is called if it is encrypted.

    Raises OperationError (nothing has changed), OSError and database errors.
    """
    if not source.is_file():
        raise OperationError(f"The file {source} does not exist.")
    with lock_data_dir(settings, "restore"), _work_folder(settings) as folder:
        manifest = archive.unpack(source, folder, ask_passphrase)
        _ensure_compatible(settings, manifest)
        _ensure_empty(settings, folder, force=force)
        result = Restoration(manifest, head_revision())
        stamp = f"before-restore-{clock.now():%Y%m%d-%H%M%S}"
        # The database comes first, because its restore can still fail.
        _replace_database(settings, folder, stamp, result)
        _replace_files(settings, folder, stamp, result)
    available = {key_fingerprint(key) for key in load_secret_keys(settings)}
    result.undecryptable = sum(n for key, n in manifest.seals.by_key.items() if key not in available)
    return result


@contextmanager
def _work_folder(settings: Settings) -> Iterator[Path]:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = settings.data_dir / WORK_FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # left by a killed process
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ensure_compatible(settings: Settings, manifest: Manifest) -> None:
    dialect = "sqlite" if settings.is_embedded else "postgresql"
    if manifest.database.dialect != dialect:
        raise OperationError(
            f"The backup is from {manifest.database.dialect}, but DATABASE_URL is {dialect}: "
            "a backup can only be restored into the same kind of database."
        )
    if not is_known_revision(manifest.database.revision):
        raise OperationError(
            f"The backup has schema {manifest.database.revision} (of version {manifest.product_version}), "
            f"newer than this version's {head_revision()}: restore it with a newer version."
        )


def _ensure_empty(settings: Settings, folder: Path, *, force: bool) -> None:
    if not settings.is_embedded:
        postgres_restore.ensure_not_in_use(settings.database, settings.lease_seconds, force=force)
    if force:
        return
    if _database_has_rows(settings):
        raise OperationError("The database is not empty; use --force to replace it. The old data is kept.")
    for unpacked, target in _list_files(settings, folder):
        if _would_overwrite(unpacked, target):
            raise OperationError(f"{target} already exists; use --force to replace it. The old one is kept.")


def _database_has_rows(settings: Settings) -> bool:
    if not settings.is_embedded:
        return postgres_restore.has_rows(settings.database)
    path = sqlite_path(settings)
    return path.exists() and sqlite_database.has_rows(path)


def _list_files(settings: Settings, folder: Path) -> list[tuple[Path, Path]]:
    """Return (unpacked path, target path) of everything except the database."""
    unpacked = [folder / ENGINE, *(folder / "keys" / name for name in KEY_FILES)]
    return [(path, settings.data_dir / path.name) for path in unpacked if path.exists()]


def _would_overwrite(unpacked: Path, target: Path) -> bool:
    if target.is_dir():
        return any(path.is_file() for path in target.rglob("*"))
    return target.exists() and target.read_bytes() != unpacked.read_bytes()


def _replace_files(settings: Settings, folder: Path, stamp: str, result: Restoration) -> None:
    for unpacked, target in _list_files(settings, folder):
        unpacked.chmod(0o700 if unpacked.is_dir() else 0o600)
        if target.exists():
            result.kept.append(target.rename(target.with_name(f"{target.name}.{stamp}")))
        unpacked.rename(target)
        if target.name in KEY_FILES:
            result.keys.append(target.name)


def _replace_database(settings: Settings, folder: Path, stamp: str, result: Restoration) -> None:
    contents = result.manifest.database
    if settings.is_embedded:
        result.kept += sqlite_restore.replace_database(folder, sqlite_path(settings), contents, stamp)
        return
    if postgres_restore.has_rows(settings.database):
        kept = settings.data_dir / f"{stamp}.tar.gz"
        back_up(settings, kept)
        result.kept.append(kept)
    postgres_restore.load_database(settings.database, contents, folder)
