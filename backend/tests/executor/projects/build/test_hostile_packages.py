"""What a package may try while it is installed. uv and the index are real; the wheels are hostile."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment, EnvironmentStore
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from tests.support.package_index import PackageIndex, build_wheel, pack_source, serve_index

WHEEL = "evil-1.0-py3-none-any.whl"
INFO = "evil-1.0.dist-info"


pytestmark = pytest.mark.usefixtures("only_this_interpreter")


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[EnvironmentBuilder]:
    store = EnvironmentStore(tmp_path / "data" / "projects")
    yield EnvironmentBuilder(store)
    store.discard(store.root)


async def install(builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path) -> BuiltEnvironment:
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("evil\n")
    return await builder.build(BuildRequest(project, index_url=index.url), lambda _line: None)


def write_marker(tmp_path: Path) -> str:
    """Return code that leaves a file behind."""
    return f"open({str(tmp_path / 'executed')!r}, 'w').close()\n"


def list_marks(tmp_path: Path) -> list[str]:
    """Return the files that show an attack, wherever it has written them."""
    return [str(path) for path in tmp_path.rglob("*") if path.name in {"executed", "outside.txt"}]


class TestInstalledPackage:
    async def test_executes_nothing_and_stays_in_its_environment(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        code, secret = write_marker(tmp_path), tmp_path / "secret.py"
        secret.write_text("KEY = 'canary-of-a-file'\n")
        files = {
            "evil/__init__.py": code,
            "evil.pth": "import evil\n",
            "sitecustomize.py": code,
            "compileall.py": code,
            "concurrent/__init__.py": code,
            f"{INFO}/entry_points.txt": "[console_scripts]\nuv = evil:run\n",
            f"{INFO[:-10]}.data/data/pyvenv.cfg": "home = /nowhere\n",
            "evil/linked.py": str(secret),
            f"{'../' * 8}outside.txt": "x",
            f"{INFO[:-10]}.data/data/{'../' * 6}outside.txt": "x",
            str(tmp_path / "outside.txt"): "x",
        }
        index.add("evil", WHEEL, build_wheel("evil", files, modes={"evil/linked.py": 0o120777}))

        built = await install(builder, index, tmp_path)

        assert next(built.directory.glob("lib/python*/site-packages/evil.pth")).read_text() == "import evil\n"
        assert list_marks(tmp_path) == []
        linked = next(built.directory.glob("lib/python*/site-packages/evil/linked.py"))
        assert "canary" not in linked.read_text()
        assert (
            f"home = {Path(sys.executable).resolve().parent}" in (built.directory / "pyvenv.cfg").read_text()
        )

    @pytest.mark.parametrize(
        "files",
        [
            {f"{INFO}/entry_points.txt": f"[console_scripts]\n{'../' * 5}outside.txt = evil:run\n"},
            {f"{INFO}/entry_points.txt": "[console_scripts]\npython = evil:run\n"},
            {f"{INFO[:-10]}.data/data/bin/python": "#!/bin/sh\n"},
        ],
    )
    async def test_script_outside_or_instead_of_the_interpreter_is_refused(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path, files: Mapping[str, str]
    ) -> None:
        index.add("evil", WHEEL, build_wheel("evil", files))

        with pytest.raises(EnvironmentBuildFailed):
            await install(builder, index, tmp_path)
        assert list_marks(tmp_path) == []
        assert not any(builder.store.environments.iterdir())


class TestSources:
    async def test_source_is_not_built_without_a_sandbox(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        files = {"setup.py": write_marker(tmp_path), "PKG-INFO": "Name: evil\nVersion: 1.0\n"}
        index.add("evil", "evil-1.0.tar.gz", pack_source(files, "evil-1.0"))

        with pytest.raises(EnvironmentBuildFailed) as caught:
            await install(builder, index, tmp_path)
        assert caught.value.cause is BuildFailure.NO_WHEEL
        assert list_marks(tmp_path) == []

    async def test_dependency_at_an_address_is_not_fetched(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        with serve_index() as other:
            address = f"{other.url}/other/other-1.0-py3-none-any.whl"
            metadata = f"Requires-Dist: other @ {address}\n"
            index.add("evil", WHEEL, build_wheel("evil", {}, metadata=metadata))

            with pytest.raises(EnvironmentBuildFailed):
                await install(builder, index, tmp_path)
            assert other.requests == []
