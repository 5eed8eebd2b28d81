"""A CrewAI from before 0.70 that the index cannot provide is replaced; a later one never is."""

from pathlib import Path

import pytest

from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.executor.projects.build.command_runner import BuildCommand, OnLine
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import EnvironmentStore
from crewai_runner.executor.projects.build.failures import EnvironmentBuildFailed
from crewai_runner.executor.projects.build.old_crewai import replace_old_crewai
from tests.executor.projects.build.test_environment_builder import FakeUv


@pytest.mark.parametrize(
    ("wanted", "replaced"),
    [
        ("crewai[tools]==0.28.8", "crewai[tools]<1,>=0.70"),
        ("crewai>=0.11,<0.12", "crewai<1,>=0.70"),
        ("crewai==0.5.*", "crewai<1,>=0.70"),
        ("crewai>=0.28", None),
        ("crewai==0.70.1", None),
        ("crewai<1", None),
        ("crewai", "crewai<1,>=0.70"),
        ("requests<0.5", None),
    ],
)
def test_which_versions_are_replaced(wanted: str, replaced: str | None) -> None:
    others = ("langchain==0.1.0", "crewai-tools==0.0.8", "requests==2.31.0")

    newer = replace_old_crewai(Dependencies(requirements=(wanted, *others), constraints=("crewai==0.28.8",)))

    expected = replaced and (replaced, "langchain", "crewai-tools", "requests==2.31.0")
    assert (newer and newer.requirements) == expected
    assert newer is None or newer.constraints == ()


def test_unpinned_crewai_is_replaced_only_if_one_of_its_packages_has_a_version() -> None:
    def find(*requirements: str) -> Dependencies | None:
        return replace_old_crewai(Dependencies(requirements=requirements))

    assert find("crewai", "langchain-openai", "requests==2.31.0") is None
    newer = find("crewai", "chromadb<0.5.0", "langchain<0.2.0")
    assert newer is not None
    assert newer.requirements == ("crewai<1,>=0.70", "chromadb", "langchain")


class UvWithoutOldVersions(FakeUv):
    """Finds no solution for requirements with this text."""

    async def run(self, command: BuildCommand, on_line: OnLine) -> int:
        listed = command.folder / "requirements.in"
        if "compile" in command.arguments and "0.28.8" in listed.read_text():
            on_line("No solution found: crewai")
            return 1
        return await super().run(command, on_line)


async def test_build_continues_with_a_supported_version(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("crewai==0.28.8\n")
    store, log = EnvironmentStore(tmp_path / "store"), list[str]()

    await EnvironmentBuilder(store, UvWithoutOldVersions()).build(BuildRequest(tmp_path), log.append)

    assert any("crewai==0.28.8 cannot be installed any more" in line for line in log)
    store.discard(store.root)


async def test_later_version_is_the_choice_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("crewai==1.0.28.8\n")
    store = EnvironmentStore(tmp_path / "store")

    with pytest.raises(EnvironmentBuildFailed):
        await EnvironmentBuilder(store, UvWithoutOldVersions()).build(BuildRequest(tmp_path), print)
    store.discard(store.root)
