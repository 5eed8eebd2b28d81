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


def make_buildable(name: str, main: str) -> dict[str, str]:
    """Return the files of a project whose lock has no packages: it is built in seconds, without a network."""
    return {
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["crewai==1.15.30"]\n\n[tool.crewai]\ntype = "crew"\n',
        "uv.lock": 'version = 1\nrequires-python = ">=3.11"\n\n'
        f'[[package]]\nname = "{name}"\nversion = "0.1.0"\nsource = {{ virtual = "." }}\n',
        "main.py": main,
    }


IDLE_MAIN = """\
import sys


def run():
    if "--crew" in sys.argv:
        from crewai import Crew

        Crew(agents=[], tasks=[]).kickoff()
    return "Done"


if __name__ == "__main__":
    run()
"""
"""A crew that never starts makes it a project; without its packages it could not."""
