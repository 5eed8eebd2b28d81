"""Reports the states that flows with persistence save, and restores them in a later attempt of the run.

The project's own store is a file of the sandbox, which no later attempt sees.
"""

import contextlib
import functools
import json
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from .channel import channel
from .json_values import to_name

MAX_STATE_CHARACTERS = 1_000_000
_current: ContextVar[str | None] = ContextVar("crewai_runner_flow", default=None)
_uses: dict[str, int] = {}
_open: dict[int, str] = {}
_last_started: list[str] = []
_lock = threading.Lock()


def patch_persistence(module: ModuleType) -> None:
    """Wrap the stores of crewai and of the project as soon as their classes are defined."""
    base = module.FlowPersistence
    own = vars(base).get("__init_subclass__")

    def init_subclass(cls: type[Any], /, **kwargs: Any) -> None:
        if own is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            own.__func__(cls, **kwargs)
        with contextlib.suppress(Exception):
            _wrap_store(cls)

    base.__init_subclass__ = classmethod(init_subclass)


def _wrap_store(store: Any) -> None:
    save, load = vars(store).get("save_state"), vars(store).get("load_state")
    if save is not None:

        @functools.wraps(save)
        def save_state(self: Any, flow_uuid: str, *args: Any, **kwargs: Any) -> Any:
            result = save(self, flow_uuid, *args, **kwargs)
            with contextlib.suppress(Exception):
                _report(flow_uuid, kwargs["state_data"] if "state_data" in kwargs else args[1])
            return result

        store.save_state = save_state
    if load is not None:

        @functools.wraps(load)
        def load_state(self: Any, flow_uuid: str, *args: Any, **kwargs: Any) -> Any:
            found = load(self, flow_uuid, *args, **kwargs)
            return _find_stored(flow_uuid) if found is None else found

        store.load_state = load_state


def _report(flow_id: str, state: Any) -> None:
    key = _current.get() or (_last_started[-1] if _last_started else None)
    if key is None:
        return
    text = state.model_dump_json() if hasattr(state, "model_dump_json") else json.dumps(state)
    if len(text) <= MAX_STATE_CHARACTERS:
        channel.send("flow.saved", flow=key, flow_id=str(flow_id), state=json.loads(text))


def _find_stored(flow_id: str) -> dict[str, Any] | None:
    for stored in channel.start().get("flow_states", {}).values():
        if stored["id"] == flow_id:
            return dict(stored["state"])
    return None


@contextlib.contextmanager
def begin_flow(flow: Any) -> Iterator[dict[str, str]]:
    """Name the flow while it runs, and yield the inputs that restore its state; empty without one.

    The flows of a class are numbered in the order of their kickoffs, in every attempt alike.
    """
    if id(flow) in _open:  # `kickoff` calls `kickoff_async`
        yield {}
        return
    key = _open[id(flow)] = _allocate_key(flow)
    _last_started.append(key)
    token = _current.set(key)
    try:
        yield _restore(flow, key)
    finally:
        _current.reset(token)
        _open.pop(id(flow), None)


def _restore(flow: Any, key: str) -> dict[str, str]:
    stored = channel.start().get("flow_states", {}).get(key)
    has_store = getattr(flow, "persistence", None) or getattr(flow, "_persistence", None)
    if stored is None or not has_store:
        return {}
    channel.send("flow.restored", flow=key)
    return {"id": stored["id"]}


def _allocate_key(flow: Any) -> str:
    base = to_name(type(flow).__name__, 80) or "Flow"
    with _lock:
        number = _uses[base] = _uses.get(base, 0) + 1
    return base if number == 1 else f"{base}-{number}"
