"""Imports CrewAI with the process configured for it. Does not import it at module level."""

import ctypes
import importlib
import importlib.metadata
import logging
import os
import re
import sys
import threading
import warnings
from pathlib import Path

from crewai_runner.executor.crew.compat import patches

PACKAGE = "crewai"
_BOUNDED_PARSING = "crewai_runner.executor.crew.compat.bounded_parsing"  # imports CrewAI itself

_SWITCHES = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "OTEL_SDK_DISABLED": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TOOLS_FORCE_SAFE_PATHS": "true",
    "PYTHON_DOTENV_DISABLED": "1",
    "ANONYMIZED_TELEMETRY": "False",
}

# These log failed calls and cancelled runs, which the run's own events already report.
_LOGGER_LEVELS = {
    "crewai": logging.CRITICAL,
    "opentelemetry.context": logging.CRITICAL,
    "httpx": logging.WARNING,
    "chromadb": logging.ERROR,
}

# CrewAI uses its own deprecated APIs. The warnings of pydantic.main come from defaults of CrewAI's models,
# which call datetime.utcnow.
_IGNORED_WARNINGS = (DeprecationWarning, FutureWarning, UserWarning)
_WARNING_SOURCES = re.compile(r"crewai(_core)?(\.|$)|pydantic\.main$")

_import_lock = threading.Lock()
_imported = False


def engine_version() -> str:
    """Return the installed version of CrewAI."""
    return importlib.metadata.version(PACKAGE)


def import_engine(storage: Path) -> None:
    """Import CrewAI once per process, with telemetry, tracing and `.env` files disabled.

    `storage` is the folder for CrewAI's files, which a later call can change. Takes seconds of CPU time: call
    it in a thread.
    """
    global _imported  # noqa: PLW0603 - an import affects the whole process
    with _import_lock:
        os.environ["CREWAI_STORAGE_DIR"] = str(storage.resolve())
        if _imported:
            return
        os.environ.update(_SWITCHES)
        _mute_loggers()
        patches.replace_platform_catalog()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(PACKAGE)
            importlib.import_module("crewai.agents.agent_executor")
            importlib.import_module("crewai.llms.providers.openai.completion")
            importlib.import_module(
                "openai.resources"
            )  # otherwise the first call imports it, which takes a second
        patches.share_tls_context()
        patches.use_in_process_locks()
        patches.disable_file_store()
        patches.disable_output_storage()
        importlib.import_module(_BOUNDED_PARSING).install()
        patches.supervise_structured_output()
        _release_memory()
        _imported = True


def ignore_engine_warnings() -> None:
    """Ignore CrewAI's warnings about its own code, also where warnings are errors."""
    for category in _IGNORED_WARNINGS:
        if not any(entry[2] is category and entry[3] == _WARNING_SOURCES for entry in warnings.filters):
            warnings.filterwarnings("ignore", category=category, module=_WARNING_SOURCES.pattern)


def _mute_loggers() -> None:
    for name, level in _LOGGER_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().addFilter(_is_not_from_engine)


def _is_not_from_engine(record: logging.LogRecord) -> bool:
    # CrewAI logs provider errors, with the provider's response, on the root logger.
    return f"{os.sep}{PACKAGE}{os.sep}" not in record.pathname


def _release_memory() -> None:
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return
