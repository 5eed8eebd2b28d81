"""Replacements of CrewAI's process-wide parts. Does not import CrewAI at module level."""

import functools
import importlib
import ssl
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, Self


def replace_platform_catalog() -> None:
    """Keep CrewAI from loading its platform catalog, which takes 98 MB; runs need only one alias of it."""
    name = "crewai_core.platform_apps"
    if name not in sys.modules:
        stub = types.ModuleType(name)
        stub.PlatformApp = str  # type: ignore[attr-defined]
        sys.modules[name] = stub


def share_tls_context() -> None:
    """Create one TLS context for all HTTP clients: reading the CA bundle is 90 % of building a crew."""
    transport: Any = importlib.import_module("httpx._transports.default")
    original: Callable[..., ssl.SSLContext] = transport.create_ssl_context
    shared = functools.lru_cache(maxsize=4)(lambda trust_env: original(True, None, trust_env))

    def create(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        if verify is True and cert is None:
            return shared(trust_env)
        return original(verify, cert, trust_env)

    transport.create_ssl_context = create


class _InProcessLock:
    """A named lock of this process."""

    _locks: dict[str, threading.RLock] = {}  # noqa: RUF012 - shared by all instances
    _guard = threading.Lock()

    def __init__(self, name: str) -> None:
        with self._guard:
            self._lock = self._locks.setdefault(name, threading.RLock())

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._lock.release()


def use_in_process_locks() -> None:
    """Replace CrewAI's file locks, which are polled every 250 ms."""
    store = importlib.import_module("crewai_core.lock_store")
    store.set_lock_backend(lambda name, **_options: _InProcessLock(name))


def disable_file_store() -> None:
    """Skip CrewAI's look-ups of input files, each of which starts a thread; runs have no input files."""
    store: Any = importlib.import_module("crewai.utilities.file_store")
    store._run_sync = lambda work: work.close()


def supervise_structured_output() -> None:
    """Make CrewAI ask for structured output through the agent's model, and create no models of its own.

    A client of CrewAI's own would be outside of the run's budget, events, stop and egress policy.
    """
    instructor: Any = importlib.import_module("crewai.utilities.internal_instructor").InternalInstructor

    def init(self: Any, content: str, model: Any, agent: Any = None, llm: Any = None) -> None:
        self.content, self.model, self.agent = content, model, agent
        self.llm = llm or (agent.function_calling_llm or agent.llm if agent else None)

    def to_pydantic(self: Any) -> Any:
        answer = self.llm.call([{"role": "user", "content": self.content}], response_model=self.model)
        return self.model.model_validate_json(answer) if isinstance(answer, str) else answer

    instructor.__init__, instructor.to_pydantic = init, to_pydantic
    importlib.import_module("crewai.llm").LLM.__new__ = staticmethod(_refuse_own_model)


def _refuse_own_model(*_arguments: object, **_options: object) -> None:
    raise RuntimeError("CrewAI tried to call a model that the workflow does not name.")


def disable_output_storage() -> None:
    """Keep CrewAI from opening its table of task outputs, on which a full disk would fail every run."""
    handler: Any = importlib.import_module("crewai.utilities.task_output_storage_handler")
    handler.KickoffTaskOutputsSQLiteStorage = _NoTaskOutputs


class _NoTaskOutputs:
    """Stores nothing, with the methods of CrewAI's storage: outputs are kept with the run's events."""

    def add(self, *_values: object, **_columns: object) -> None: ...

    def update(self, *_values: object, **_columns: object) -> None: ...

    def delete_all(self) -> None: ...

    def load(self) -> list[dict[str, Any]]:
        return []


def mute_event_bus() -> None:
    """Remove CrewAI's console and tracing listeners, so that events reach the runs' stream sinks only.

    Without listeners an event costs no thread, and no run waits for the listeners of another run.
    """
    bus = importlib.import_module("crewai.events.event_bus").crewai_event_bus
    bus._sync_handlers.clear()
    bus._async_handlers.clear()
    bus._handler_dependencies.clear()
    bus._execution_plan_cache.clear()
    listener = importlib.import_module("crewai.events.event_listener").event_listener
    listener.execution_spans.clear()
    # Recorded events and entities serve CrewAI's checkpoints. They hold keys and are not used.
    bus._record_event = _do_nothing
    bus._register_source = _do_nothing


def _do_nothing(*_arguments: object) -> None: ...
