"""Groups of optional dependencies that have CrewAI: `[dependency-groups]`, extras, groups of Poetry."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crewai_runner.domain.project_inspection.poetry_requirements import read_poetry
from crewai_runner.domain.project_inspection.setup_files import Declared
from crewai_runner.domain.project_inspection.toml_tables import find_table

DEFAULT_GROUP = "--group=dev"
"""The group that uv installs unless it is told not to."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


def list_groups_with_crewai(
    source: str, project: Mapping[str, Any], always: tuple[str, ...]
) -> Iterator[Declared]:
    """Yield what a pyproject.toml requires with each of its groups, of those that name CrewAI.

    `always` are the requirements without a group.
    """
    for options, lines in _list_groups(project):
        if any(line.startswith("crewai") for line in lines):
            yield Declared(source, tuple(dict.fromkeys((*always, *lines))), lock_options=options)


def _list_groups(project: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield options of `uv export` and requirements of each group."""
    yield (DEFAULT_GROUP,), _list_texts(find_table(project, "tool", "uv").get("dev-dependencies"))
    tables = {"group": ("dependency-groups",), "extra": ("project", "optional-dependencies")}
    for option, table in tables.items():
        for name, listed in find_table(project, *table).items():
            if _NAME.fullmatch(name):
                yield (f"--{option}={name}",), _list_texts(listed)
    for group in find_table(project, "tool", "poetry", "group").values():
        if isinstance(group, dict):
            yield (), list(read_poetry(find_table(group, "dependencies")))


def _list_texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
