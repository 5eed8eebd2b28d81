"""The folder of environments: one for each list of packages, shared by projects, removed when unused."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

LOCK_POLL_SECONDS = 0.2
_MANIFEST = "environment.json"
_USED = "used"


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """An environment that can be used. `size` counts the bytes that it does not share with the cache."""

    lock_hash: str
    directory: Path
    python_version: str
    crewai_version: str | None
    interpreter: Path
    size: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentStore:
    """Environments and uv's cache in one folder, so that files are hard links. Its methods block."""

    root: Path

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    @property
    def wheels(self) -> Path:
        """Wheels that were built from source: in each folder one, by the key of its build."""
        return self.root / "wheels"

    @property
    def building(self) -> Path:
        return self.root / "building"

    @property
    def removed(self) -> Path:
        """What is being deleted."""
        return self.root / "removed"

    def prepare(self) -> None:
        for folder in (
            self.cache,
            self.environments,
            self.wheels,
            self.building,
            self.removed,
            self.root / "locks",
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        # The server creates folders for its own user only; the code of projects runs as another one.
        for folder in (self.root, self.environments):
            folder.chmod(folder.stat().st_mode | 0o011)

    def find(self, lock_hash: str) -> BuiltEnvironment | None:
        """Return an environment and note its use; None if there is none."""
        folder = self.environments / lock_hash
        try:
            values = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            os.utime(folder / _USED)
        except (OSError, ValueError):
            return None
        return BuiltEnvironment(
            **{**values, "directory": folder / "venv", "interpreter": Path(values["interpreter"])}
        )

    def find_wheel(self, key: str) -> Path | None:
        """Return a wheel that was built from source and note its use; None if there is none."""
        try:
            os.utime(self.wheels / key)
            return next((self.wheels / key).iterdir(), None)
        except OSError:
            return None

    def add_wheel(self, key: str, file: Path) -> Path:
        """Move a wheel into place, in one step. Raises OSError. Its folder is that of a build."""
        file.chmod(0o444)
        entry = file.with_name("entry")
        entry.mkdir(mode=0o755)
        file.rename(entry / file.name)
        shutil.rmtree(self.wheels / key, ignore_errors=True)  # an empty one, of a damaged disk
        entry.rename(self.wheels / key)
        return self.wheels / key / file.name

    def create_folder(self) -> Path:
        """Create a folder for a build; `add` or `discard` ends its use."""
        folder = self.building / uuid4().hex
        folder.mkdir(mode=0o755)
        return folder

    def add(self, folder: Path, built: BuiltEnvironment, packages: str) -> BuiltEnvironment:
        """Move the environment `folder/venv` into place, read-only. An existing one with its hash stays."""
        size = _measure(folder / "venv")
        target = self.environments / built.lock_hash
        entry = folder / "entry"
        entry.mkdir()
        entry.chmod(0o755)
        (folder / "venv").rename(entry / "venv")
        values = {**asdict(built), "size": size, "interpreter": str(built.interpreter)}
        del values["directory"]
        (entry / "packages.txt").write_text(packages, encoding="utf-8")
        (entry / _USED).touch()
        (entry / _MANIFEST).write_text(json.dumps(values), encoding="utf-8")
        _make_read_only(entry / "venv")
        with contextlib.suppress(OSError):  # another process was faster
            entry.rename(target)
        found = self.find(built.lock_hash)
        if found is None:
            raise OSError(f"The environment could not be moved to {target}.")
        return found

    def discard(self, folder: Path) -> None:
        """Remove a folder of a build or of an environment, with everything in it."""
        _make_writable(folder)
        shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def use(self, lock_hash: str) -> Iterator[None]:
        """Keep an environment from being removed, by any process. Raises OSError if it is gone."""
        with (self.environments / lock_hash / _USED).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            os.utime(self.environments / lock_hash / _USED)
            yield

    @contextlib.asynccontextmanager
    async def build_lock(self, lock_hash: str) -> AsyncIterator[None]:
        """Wait until no other process or task builds this environment."""
        with (self.root / "locks" / f"{lock_hash}.lock").open("wb") as file:
            while not _try_lock(file.fileno()):  # noqa: ASYNC110 - the lock is also held by other processes
                await asyncio.sleep(LOCK_POLL_SECONDS)
            yield

    @contextlib.contextmanager
    def use_cache(self) -> Iterator[None]:
        """Keep uv's cache from being removed, by any process."""
        with self._cache_lock.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    def remove_unused(self, max_age_seconds: float, max_bytes: int) -> list[str]:
        """Remove environments that were not used for a time; return their hashes.

        While everything has more than `max_bytes`, uv's cache is removed too, then the environments that were
        not used for longest. What a run or a build uses stays. Leftovers of killed builds are removed.
        """
        self.prepare()
        now, entries = time.time(), sorted(self._list_entries())
        removed = [
            folder.name for used, folder in entries if now - used > max_age_seconds and self._remove(folder)
        ]
        for folder in self._list_leftovers():
            self.discard(folder)
        if len(removed) == len(entries) > 0 or self.measure() > max_bytes:
            self._clear_cache()
        for _, folder in entries:
            if folder.name not in removed and self.measure() > max_bytes and self._remove(folder):
                removed.append(folder.name)
        return removed

    def measure(self) -> int:
        """Return the bytes of the cache and of all environments; shared files count once."""
        sizes: dict[int, int] = {}
        for root in (self.cache, self.wheels, self.environments):
            for parent, _, names in os.walk(root):
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        status = os.lstat(os.path.join(parent, name))  # noqa: PTH118 - see _measure
                        sizes[status.st_ino] = status.st_blocks * 512
        return sum(sizes.values())

    @property
    def _cache_lock(self) -> Path:
        return self.root / "locks" / "cache.lock"

    def _list_leftovers(self) -> list[Path]:
        """Move what killed builds have left out of the way, and return it."""
        with self._cache_lock.open("ab") as file:
            if _try_lock(file.fileno()):  # no build is running
                for folder in self.building.iterdir():
                    with contextlib.suppress(OSError):
                        folder.rename(self.removed / folder.name)
        return list(self.removed.iterdir())

    def _clear_cache(self) -> None:
        """Remove the cache and built wheels unless a build uses them. Environments keep their files."""
        with self._cache_lock.open("ab") as file:
            if not _try_lock(file.fileno()):
                return
            target = self.removed / uuid4().hex
            target.mkdir()
            for folder in (self.cache, self.wheels):
                folder.rename(target / folder.name)
                folder.mkdir(mode=0o755)
        self.discard(target)

    def _list_entries(self) -> Iterator[tuple[float, Path]]:
        """Yield (time of the last use, folder); 0 for a damaged environment."""
        for folder in self.environments.iterdir():
            try:
                yield (folder / _USED).stat().st_mtime, folder
            except OSError:
                yield 0.0, folder

    def _remove(self, folder: Path) -> bool:
        """Remove an environment unless it is in use."""
        try:
            with (folder / _USED).open("rb") as file:
                if not _try_lock(file.fileno()):
                    return False
                target = self.removed / uuid4().hex
                folder.rename(target)
        except FileNotFoundError:
            target = folder
        except OSError:
            return False
        self.discard(target)
        return True


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _measure(folder: Path) -> int:
    """Return the bytes of files with a single name: those of the cache have several."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(parent, name))  # noqa: PTH118 - tens of thousands of files
            if status.st_nlink == 1:
                total += status.st_blocks * 512
    return total


def _make_read_only(folder: Path) -> None:
    """Take away the right to add and remove files, and let everyone read and execute them.

    Another user runs the code, while the server creates files that only its own user may read. Files are
    links to the cache and keep their owner's rights.
    """
    for parent, _, names in os.walk(folder):
        os.chmod(parent, 0o555)  # noqa: PTH101, S103 - another user runs the code
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - tens of thousands of files
            mode = os.lstat(path).st_mode
            owner = mode & 0o500
            wanted = mode | owner >> 3 | owner >> 6
            if mode != wanted and stat.S_ISREG(mode):
                os.chmod(path, stat.S_IMODE(wanted))  # noqa: PTH101


def _make_writable(folder: Path) -> None:
    for parent, names, _ in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118
            if not os.path.islink(path):  # noqa: PTH114
                with contextlib.suppress(FileNotFoundError):  # another process removes it too
                    os.chmod(path, stat.S_IRWXU)  # noqa: PTH101
