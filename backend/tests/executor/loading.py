"""Engine modules for tests, with CrewAI imported the way the product imports it."""

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from crewai_runner.executor.crew.compat.environment import import_engine


def engine_module(name: str) -> Any:
    """The module `executor/crew/<name>.py`."""
    import_engine(Path(tempfile.gettempdir()) / "crewai-runner-tests")
    return import_module(f"crewai_runner.executor.crew.{name}")
