"""Uploads of small projects."""

import io
import zipfile
from collections.abc import Mapping

MAIN = """\
from crewai import Agent, Crew, Task
import os


def run():
    print(os.environ["TOPIC_KEY"])


if __name__ == "__main__":
    run()
"""
PROJECT = '[project]\nname = "daily-brief"\nversion = "1.0"\ndependencies = ["crewai==1.15.30"]\n'
SECRET = "value-of-a-sealed-secret-1234567890"
FILES: dict[str, str] = {
    "pyproject.toml": PROJECT,
    "src/daily_brief/main.py": MAIN,
    ".env": f"TOPIC_KEY={SECRET}\nPATH=/tmp\n",
}


def zip_project(files: Mapping[str, str | bytes] | None = None) -> bytes:
    """Return the zip of a project."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path, content in (FILES if files is None else files).items():
            archive.writestr(path, content)
    return body.getvalue()
