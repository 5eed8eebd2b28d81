"""Small projects in the shapes of public ones: inspection finds what each `expected.toml` says.

An entry of `inputs` is a default value, or an empty text for a value that the code computes.
"""

from pathlib import Path
from typing import Any

import pytest

from crewai_runner.domain.project import ProjectInspection
from crewai_runner.domain.project_inspection.inspection import inspect_project
from tests.projects.project_folders import FOLDERS, read_expected, read_files


def summarize(inspection: ProjectInspection) -> dict[str, Any]:
    """The inspection in the form of an `expected.toml`, without empty values."""
    [entry, *_] = inspection.entry_points
    summary = {
        "kind": inspection.kind.value,
        "entry": f"{entry.path}:{entry.name}" if entry.name else entry.path,
        "inputs": {
            one.name: "" if one.default is None else one.default
            for one in inspection.inputs
            if not one.required
        },
        "required": [one.name for one in inspection.inputs if one.required],
        "environment": inspection.environment_names,
        "missing_packages": inspection.missing_packages,
        "crewai": inspection.crewai,
    }
    return {key: value for key, value in summary.items() if value}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_inspection_finds_what_is_expected(folder: Path) -> None:
    expected, _ = read_expected(folder)
    inspection = inspect_project(read_files(folder))

    warnings = expected.pop("warnings", [])
    optional = ("name", "working_directory", "import_paths", "tools", "models", "python")
    found = summarize(inspection) | {key: getattr(inspection, key) for key in optional if key in expected}
    if "crewai" in found and "crewai" in expected:
        found["crewai"], expected["crewai"] = (sorted(one["crewai"].split(",")) for one in (found, expected))
    assert found == expected
    assert len(inspection.warnings) == len(warnings), inspection.warnings
    assert [one for one in warnings if one not in "\n".join(inspection.warnings)] == []


def test_there_are_projects() -> None:
    assert len(FOLDERS) >= 40
