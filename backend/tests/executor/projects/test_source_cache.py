"""Unpacked sources: once for each content, whatever happens at the same time."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from crewai_runner.core.errors import AppError
from crewai_runner.executor.projects.source_cache import SourceCache
from tests.support.projects import MAIN, zip_project


class Archives:
    """Counts how often the archive of a version is loaded."""

    def __init__(self, content: bytes) -> None:
        self.content, self.loads = content, 0

    async def load(self) -> bytes:
        self.loads += 1
        await asyncio.sleep(0)
        return self.content


class TestSourceCache:
    async def test_unpacks_once(self, tmp_path: Path) -> None:
        cache, archives = SourceCache(tmp_path), Archives(zip_project())

        folder = await cache.get("a", archives.load)
        again = await cache.get("a", archives.load)

        assert folder == again == tmp_path / "a"
        assert (folder / "src/daily_brief/main.py").read_text() == MAIN
        assert not (folder / ".env").exists()
        assert archives.loads == 1

    async def test_several_runs_at_once(self, tmp_path: Path) -> None:
        cache, archives = SourceCache(tmp_path), Archives(zip_project())

        folders = await asyncio.gather(*(cache.get("a", archives.load) for _ in range(5)))

        assert set(folders) == {tmp_path / "a"}
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    async def test_refused_archive_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(AppError):
            await SourceCache(tmp_path).get("a", Archives(b"no zip").load)

        assert list(tmp_path.iterdir()) == []

    async def test_removes_what_no_run_has_used(self, tmp_path: Path) -> None:
        cache, archives = SourceCache(tmp_path), Archives(zip_project())
        for name in ("old", "used"):
            os.utime(await cache.get(name, archives.load), (0, 0))
        await cache.get("used", archives.load)

        cache.remove_unused(3600, 10**9)

        assert [path.name for path in tmp_path.iterdir()] == ["used"]
        SourceCache(tmp_path / "missing").remove_unused(3600, 0)

    async def test_size_is_bounded(self, tmp_path: Path) -> None:
        cache, archives = SourceCache(tmp_path), Archives(zip_project())
        now = time.time()
        for name, age in (("oldest", 9000), ("older", 8000), ("used", 10)):
            os.utime(await cache.get(name, archives.load), (now - age, now - age))
        size = cache.measure()

        cache.remove_unused(10**6, size)
        assert len(list(tmp_path.iterdir())) == 3
        cache.remove_unused(10**6, size - 1)
        assert {path.name for path in tmp_path.iterdir()} == {"older", "used"}
        cache.remove_unused(10**6, 0)
        assert [path.name for path in tmp_path.iterdir()] == ["used"]
