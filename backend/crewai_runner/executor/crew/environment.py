"""What must be in place before, while and after CrewAI is imported. Nothing here imports it at the top."""

import ctypes
import functools
import gc
import importlib
import importlib.metadata
import logging
import os
import re
import ssl
import sys
import threading
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

PACKAGE = "crewai"

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

# These speak of every refused call and every cancelled run; the product tells both itself.
_QUIET_LOGGERS = {
    "crewai": logging.CRITICAL,
    "opentelemetry.context": logging.CRITICAL,
    "httpx": logging.WARNING,
    "chromadb": logging.ERROR,
}

# The engine warns of its own deprecations whenever it uses them itself.
_OWN_WARNINGS = (DeprecationWarning, FutureWarning, UserWarning)
# pydantic.main stands for defaults of the engine's models, which ask for the time in the old way.
_FROM_ENGINE = re.compile(r"crewai(_core)?(\.|$)|pydantic\.main$")

_once = threading.Lock()
_imported = False


def version() -> str:
    """The installed version of the engine."""
    return importlib.metadata.version(PACKAGE)


def import_engine(storage: Path) -> None:
    """Import CrewAI once per process, with telemetry, tracing and `.env` files off.

    `storage` is the folder where the engine keeps what it must keep on disk. Takes seconds of CPU:
    call it in a thread.
    """
    global _imported  # noqa: PLW0603 - the import of a package is process-wide by nature
    with _once:
        if _imported:
            return
        _set_switches(storage)
        _leave_out_the_catalogue()
        _quieten_loggers()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(PACKAGE)
            importlib.import_module("crewai.agents.agent_executor")
            importlib.import_module("crewai.llms.providers.openai.completion")
            importlib.import_module("openai.resources")  # otherwise at the first call, for a second
        _share_tls_context()
        _lock_in_process()
        _forget_files()
        _give_memory_back()
        _imported = True


def ignore_own_warnings() -> None:
    """Keep the engine's warnings about itself from being told, or raised where warnings are errors."""
    for kind in _OWN_WARNINGS:
        if not any(entry[2] is kind and entry[3] == _FROM_ENGINE for entry in warnings.filters):
            warnings.filterwarnings("ignore", category=kind, module=_FROM_ENGINE.pattern)


def quieten_bus() -> None:
    """Take the engine's own listeners (console, tracing) off its bus: runs are heard through sinks alone.

    Without listeners no event costs a thread, and no run waits for another run's listeners.
    """
    bus = importlib.import_module("crewai.events.event_bus").crewai_event_bus
    bus._sync_handlers.clear()
    bus._async_handlers.clear()
    bus._handler_dependencies.clear()
    bus._execution_plan_cache.clear()
    listener = importlib.import_module("crewai.events.event_listener").event_listener
    listener.execution_spans.clear()
    # The record of events and entities serves checkpoints, which are not used: they hold keys.
    bus._record_event = _nothing
    bus._register_source = _nothing


def _nothing(*_arguments: object) -> None:
    """Stands in for what the product has no use for."""


def _set_switches(storage: Path) -> None:
    os.environ.update(_SWITCHES)
    os.environ["CREWAI_STORAGE_DIR"] = str(storage.resolve())


def _leave_out_the_catalogue() -> None:
    # 98 MB of CrewAI Platform's catalogue hang on this module; a local runner needs one alias of it.
    name = "crewai_core.platform_apps"
    if name not in sys.modules:
        stand_in = types.ModuleType(name)
        stand_in.PlatformApp = str  # type: ignore[attr-defined]
        sys.modules[name] = stand_in


def _quieten_loggers() -> None:
    for name, level in _QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().addFilter(_not_from_engine)


def _not_from_engine(record: logging.LogRecord) -> bool:
    # The engine logs provider errors on the root logger, provider's words and all.
    return f"{os.sep}{PACKAGE}{os.sep}" not in record.pathname


def _share_tls_context() -> None:
    # Nine tenths of the cost of building a crew is reading the CA bundle, for every client again.
    transport: Any = importlib.import_module("httpx._transports.default")
    original: Callable[..., ssl.SSLContext] = transport.create_ssl_context
    shared = functools.lru_cache(maxsize=4)(lambda trust_env: original(True, None, trust_env))

    def create(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is True and cert is None:
            return shared(trust_env)
        return original(verify, cert, trust_env)

    transport.create_ssl_context = create


class _Lock:
    """A named lock within this process; the engine's default polls a file every 250 ms."""

    _locks: dict[str, threading.RLock] = {}  # noqa: RUF012 - the point is that all share it
    _guard = threading.Lock()

    def __init__(self, name: str) -> None:
        with self._guard:
            self._lock = self._locks.setdefault(name, threading.RLock())

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._lock.release()


def _lock_in_process() -> None:
    store = importlib.import_module("crewai_core.lock_store")
    store.set_lock_backend(lambda name, **_options: _Lock(name))


def _forget_files() -> None:
    # Runs take no input files; each empty look-up would cost a thread and an event loop.
    store: Any = importlib.import_module("crewai.utilities.file_store")
    store._run_sync = lambda work: work.close()


def _give_memory_back() -> None:
    gc.collect()
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return
