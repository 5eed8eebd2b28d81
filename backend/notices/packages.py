"""The packages that the product ships, from the lock files."""

import json
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON_LOCK = ROOT / "backend" / "uv.lock"
FRONTEND_LOCK = ROOT / "frontend" / "package-lock.json"
PROJECT = "crewai-runner"
NOT_INSTALLED = "see the package (not installed where this list was made)"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package of a lock file; `folder` is where a frontend package is installed."""

    name: str
    version: str
    licence: str = ""
    folder: str = ""


def read_python_packages() -> list[Package]:
    """Return what the project and all its extras depend on, without the development tools."""
    locked: dict[str, list[dict[str, Any]]] = {}
    for package in tomllib.loads(PYTHON_LOCK.read_text())["package"]:
        locked.setdefault(package["name"], []).append(package)
    extras = locked[PROJECT][0].get("optional-dependencies", {})
    pending = [(PROJECT, extra) for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    while pending:
        name, extra = pending.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for package in locked[name]:
            needed = package.get("optional-dependencies", {}).get(extra, []) if extra else []
            for dependency in [*package.get("dependencies", []), *needed]:
                pending += [(dependency["name"], more) for more in ("", *dependency.get("extra", ()))]
    shipped = {name for name, _ in seen} - {PROJECT}
    return sorted(
        Package(name, package["version"], _read_licence(name)) for name in shipped for package in locked[name]
    )


def read_frontend_packages() -> list[Package]:
    """Return the packages of the dashboard, without the development tools."""
    packages: dict[str, dict[str, Any]] = json.loads(FRONTEND_LOCK.read_text())["packages"]
    return sorted(
        Package(folder.rpartition("node_modules/")[2], package["version"], package["license"], folder)
        for folder, package in packages.items()
        if folder and not package.get("dev") and not package.get("devOptional")
    )


def _read_licence(name: str) -> str:
    try:
        fields = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
    classifiers = [
        value.rpartition(" :: ")[2]
        for value in fields.get_all("Classifier", [])
        if value.startswith("License :: ")
    ]
    first_line = str(fields.get("License", "")).strip().partition("\n")[0]
    return fields.get("License-Expression") or "; ".join(classifiers) or first_line[:100] or NOT_INSTALLED
