"""The document within an exported project, from which an import restores what CrewAI's format lacks."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from crewai_runner.domain.workflow_yaml.omissions import Omission

SNAPSHOT = "workflow.yaml"
_DIGEST = re.compile(r'^\[tool\.crewai-runner\]\nproject-sha256 = "([0-9a-f]{64})"$', re.MULTILINE)


def add_snapshot(files: Mapping[str, str], document: str) -> dict[str, str]:
    """Return the files of an exported project together with its document and the digest of its crew.

    The files are written as they will be imported: redact them first.
    """
    digest = _compute_digest(files, PurePosixPath())
    table = f'\n[tool.crewai-runner]\nproject-sha256 = "{digest}"\n'
    return {**files, SNAPSHOT: document, "pyproject.toml": files["pyproject.toml"] + table}


def find_snapshot(files: Mapping[str, str], folder: PurePosixPath) -> tuple[str | None, list[Omission]]:
    """Return the document of an exported project; None, with the reason, if its crew was edited since."""
    document = files.get(str(folder / SNAPSHOT))
    digest = _DIGEST.search(files.get(str(folder / "pyproject.toml"), ""))
    if document is None or digest is None:
        return None, []
    if digest[1] == _compute_digest(files, folder):
        return document, []
    reason = (
        "The project was edited after its export: crew.jsonc and agents/ were imported, without what only "
        "this file contains, such as tools and the types of inputs."
    )
    return None, [Omission(str(folder / SNAPSHOT), reason)]


def _compute_digest(files: Mapping[str, str], folder: PurePosixPath) -> str:
    """Return the SHA-256 of the crew and its agents: of each, the path and the text with LF endings."""
    digest = hashlib.sha256()
    for path in sorted(files):
        file = PurePosixPath(path)
        if file == folder / "crew.jsonc" or file.parent == folder / "agents":
            text = files[path].replace("\r\n", "\n")
            digest.update(f"{file.relative_to(folder)}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()
