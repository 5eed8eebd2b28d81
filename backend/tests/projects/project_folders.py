"""The projects of this folder: their files, and what `expected.toml` says about inspection and run.

The table `run` of an `expected.toml`, all keys optional:

| key | meaning |
| --- | --- |
| `status`, `error` | how the run ends ("completed"), and a part of the error |
| `inputs`, `secrets` | what the run is given |
| `answers` | what a person answers, in this order |
| `replies` | replies of the model to calls that contain a text, before the usual one |
| `model_calls` | how many calls reach the provider at least (1) |
| `prompt` | a text in one of these calls |
| `result`, `files` | a part of the result, and files that the run leaves |
| `date` | the day of the last change to the project, which bounds the versions of packages |
| `environment_file` | the `.env` of the archive |
"""

import datetime as dt
import io
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.scripted_provider import Rule, Say

PROJECTS = Path(__file__).parent
FOLDERS = sorted(path.parent for path in PROJECTS.glob("*/expected.toml"))
ANSWER = 'Thought: I now can give a great answer\nFinal Answer: {"number": "7", "total": 12.5, "items": []}'


@dataclass(frozen=True)
class ExpectedRun:
    """The table `run` of an `expected.toml`."""

    status: str = "completed"
    error: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    model_calls: int = 1
    prompt: str = ""
    result: str = ""
    files: list[str] = field(default_factory=list)
    date: dt.date | None = None
    environment_file: str = ""

    @property
    def rules(self) -> list[Rule]:
        """The replies of the provider."""
        own = [
            Rule(Say(one["text"]), contains=one["contains"], times=one.get("times")) for one in self.replies
        ]
        return [*own, Rule(Say(ANSWER))]


def read_expected(folder: Path) -> tuple[dict[str, Any], ExpectedRun]:
    """Return what is expected of the inspection, and of a run."""
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    return expected, ExpectedRun(**expected.pop("run", {}))


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a project by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expected.toml" and "__pycache__" not in path.parts
    }


def zip_files(files: dict[str, bytes], changed: dt.date | None = None) -> bytes:
    """Return the zip of a project whose files were changed on a day (default: today)."""
    body = io.BytesIO()
    day = changed or dt.date.today()  # noqa: DTZ011 - zip files have local dates
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, (day.year, day.month, day.day, 12, 0, 0)), content)
    return body.getvalue()
