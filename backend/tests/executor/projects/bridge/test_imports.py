"""Files of projects are imported under the name that their own imports need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.bwrap_arguments import GUEST_FOLDER

IMPORT = """
import sys
from pathlib import Path
from crewai_runner_bridge.entry import run_entry
print(run_entry({"path": sys.argv[1], "name": "start"}, {}))
"""


def run(project: Path, path: str) -> str:
    """Call `start` of a file in a process of its own, and return what it returns."""
    process = subprocess.run(
        [sys.executable, "-c", IMPORT, path],
        cwd=project,
        env=os.environ | {"CREWAI_RUNNER_PROJECT": str(project), "PYTHONPATH": str(GUEST_FOLDER / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.stdout.strip() or process.stderr


@pytest.mark.parametrize("folder", ["src", "app", "src/news"])
@pytest.mark.parametrize("is_package", [True, False])
def test_relative_imports(tmp_path: Path, folder: str, is_package: bool) -> None:
    """`from src.crew import …` works for the project, whether `src` has an `__init__.py` or not."""
    home = tmp_path / folder
    home.mkdir(parents=True)
    if is_package:
        (home / "__init__.py").touch()
    (home / "words.py").write_text("WORD = 'tea'\n")
    (home / "crew.py").write_text("from .words import WORD\ndef start():\n    return WORD\n")

    assert run(tmp_path, f"{folder}/crew.py") == "tea"


def test_imports_of_neighbours_by_name(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "words.py").write_text("WORD = 'tea'\n")
    (tmp_path / "src" / "crew.py").write_text("from words import WORD\ndef start():\n    return WORD\n")

    assert run(tmp_path, "src/crew.py") == "tea"
