"""`python -m crewai_runner.operations.doctor.import_check`: load packages that may crash in native code.

Runs in a separate process, so that a crash does not affect the other checks. Prints one JSON line on
stdout, after anything that libraries print.
"""

import asyncio
import importlib
import json
import sys
import tempfile
from pathlib import Path

from crewai_runner.domain.provider import PROVIDER_EXTRAS
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.localmodel.installation import RUNTIME_PACKAGE


def main() -> None:
    report = check_engine() if sys.argv[1] == "engine" else check_local_model()
    sys.stdout.write("\n" + json.dumps(report) + "\n")


def check_engine() -> dict[str, object]:
    """Return the engine's status and the optional packages that cannot be imported."""
    with tempfile.TemporaryDirectory() as folder:
        executor = CrewExecutor(Path(folder))
        asyncio.run(executor.load())
        status = executor.status()
        absent = [extra for kind, extra in PROVIDER_EXTRAS.items() if not _is_importable(kind.value)]
    return {
        "state": status.state,
        "version": status.version,
        "native": status.native,
        "message": status.message,
        "absent": absent,
    }


def _is_importable(kind: str) -> bool:
    try:
        importlib.import_module(f"crewai_runner.executor.crew.llm.{kind}")
    except ImportError:
        return False
    return True


def check_local_model() -> dict[str, object]:
    importlib.import_module(RUNTIME_PACKAGE)
    return {"state": "ready"}


if __name__ == "__main__":
    main()
