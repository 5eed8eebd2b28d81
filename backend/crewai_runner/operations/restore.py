"""A backup put in the place of what is there: checked whole before anything changes."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner.core import clock
from crewai_runner.core.secret_key import key_fingerprint, load_secret_keys
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import head_revision, is_known_revision
from crewai_runner.operations import archive, postgres_load, sqlite_place, sqlite_store
from crewai_runner.operations.backup import KEY_FILES, back_up, sqlite_file
from crewai_runner.operations.engine_files import ENGINE
from crewai_runner.operations.manifest import Manifest
from crewai_runner.operations.refusal import Refused
from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock

WORK_FOLDER = ".restoring"


@dataclass
class Restored:
    """What was done. `kept`: where what was there is now; `locked_out`: secrets that no key here opens."""

    manifest: Manifest
    revision: str | None
    kept: list[Path] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    locked_out: int = 0


def restore(settings: Settings, source: Path, *, force: bool = False) -> Restored:
    """Raises Refused, with everything as it was; OSError and errors of the database."""
    if not source.is_file():
        raise Refused(f"There is no file {source}.")
    with _held(settings), _work_folder(settings) as folder:
        manifest = archive.unpack(source, folder)
        _refuse_unfit(settings, manifest)
        _refuse_full(settings, folder, force=force)
        done = Restored(manifest, head_revision())
        stamp = f"before-restore-{clock.now():%Y%m%d-%H%M%S}"
        # What can still be refused is the database, so it goes first.
        _put_database(settings, folder, stamp, done)
        _put_folders(settings, folder, stamp, done)
    present = {key_fingerprint(key) for key in load_secret_keys(settings)}
    done.locked_out = sum(n for key, n in manifest.seals.by_key.items() if key not in present)
    return done


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """Nobody else works with the data folder meanwhile."""
    lock = DataDirLock(settings.sqlite_directory or settings.data_dir)
    try:
        lock.acquire()
    except DataDirInUse as error:
        raise Refused(f"Cannot restore: {error}. Stop that process first.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _work_folder(settings: Settings) -> Iterator[Path]:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = settings.data_dir / WORK_FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_unfit(settings: Settings, manifest: Manifest) -> None:
    here = "sqlite" if settings.is_embedded else "postgresql"
    if manifest.database.dialect != here:
        raise Refused(
            f"The backup is of {manifest.database.dialect}, DATABASE_URL here names {here}: "
            "a backup goes back into the kind of database it came from."
        )
    if not is_known_revision(manifest.database.revision):
        raise Refused(
            f"The backup has schema {manifest.database.revision} (of version {manifest.product_version}), "
            f"newer than this build's {head_revision()}: restore it with a newer build."
        )


def _refuse_full(settings: Settings, folder: Path, *, force: bool) -> None:
    if not settings.is_embedded:
        postgres_load.refuse_in_use(settings.database, settings.lease_seconds, force=force)
    if force:
        return
    if _database_is_full(settings):
        raise Refused("The database here is not empty; --force replaces it and keeps what is there aside.")
    for given, present in _files(settings, folder):
        if _would_be_lost(given, present):
            raise Refused(f"{present} is there already; --force replaces it and keeps the old one aside.")


def _database_is_full(settings: Settings) -> bool:
    if not settings.is_embedded:
        return postgres_load.holds_rows(settings.database)
    path = sqlite_file(settings)
    return path.exists() and sqlite_store.holds_rows(path)


def _files(settings: Settings, folder: Path) -> list[tuple[Path, Path]]:
    """What the backup holds beside the database, each with its place here."""
    given = [folder / ENGINE, *(folder / "keys" / name for name in KEY_FILES)]
    return [(path, settings.data_dir / path.name) for path in given if path.exists()]


def _would_be_lost(given: Path, present: Path) -> bool:
    if present.is_dir():
        return any(path.is_file() for path in present.rglob("*"))
    return present.exists() and present.read_bytes() != given.read_bytes()


def _put_folders(settings: Settings, folder: Path, stamp: str, done: Restored) -> None:
    for given, target in _files(settings, folder):
        given.chmod(0o700 if given.is_dir() else 0o600)
        if target.exists():
            done.kept.append(target.rename(target.with_name(f"{target.name}.{stamp}")))
        given.rename(target)
        if target.name in KEY_FILES:
            done.keys.append(target.name)


def _put_database(settings: Settings, folder: Path, stamp: str, done: Restored) -> None:
    contents = done.manifest.database
    if settings.is_embedded:
        done.kept += sqlite_place.put(folder, sqlite_file(settings), contents, stamp)
        return
    if postgres_load.holds_rows(settings.database):
        kept = settings.data_dir / f"{stamp}.tar.gz"
        back_up(settings, kept)
        done.kept.append(kept)
    postgres_load.load_database(settings.database, contents, folder)
