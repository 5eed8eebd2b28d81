"""Modules that import CrewAI, for tests that do not load the executor."""

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from crewai_runner.executor.crew.compat.environment import import_engine


def import_engine_module(name: str) -> Any:
    """Import `crewai_runner.executor.crew.<name>`, and CrewAI the way the product does."""
    import_engine(Path(tempfile.gettempdir()) / "crewai-runner-tests")
    return import_module(f"crewai_runner.executor.crew.{name}")
