"""Model objects that an attempt holds the reins of: every call is counted, paced and can be cut short.

The engine calls models from coroutines, from threads and, in places, from the event loop's own thread.
A coroutine is cancelled. A blocking call is made by a loop beside, so that it can be cancelled too.
"""

import asyncio
import contextlib
import copy
import functools
import threading
import types
from collections.abc import Coroutine, Iterable
from concurrent.futures import CancelledError, Future
from typing import Any

from crewai.llms.base_llm import BaseLLM, call_stop_override
from pydantic import BaseModel

from crewai_runner.core.text import join_surrogates
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.limits import Pace
from crewai_runner.executor.port import ModelBinding


def rein(llm: Any, binding: ModelBinding, pace: Pace | None = None) -> Any:
    """The same model object, its calls now in the hands of the attempt that makes them."""
    kind: Any = type(llm)
    object.__setattr__(llm, "__class__", _reined(kind))
    llm._binding = binding
    llm._pace = pace
    return llm


def binding_of(llm: Any) -> ModelBinding | None:
    """The binding behind a model object, copies included."""
    return getattr(llm, "_binding", None)


async def close(llm: Any) -> None:
    """Close the connections of a model object. Call in the loop that used it."""
    for client in (getattr(llm, "_client", None), getattr(llm, "_async_client", None)):
        with contextlib.suppress(Exception):
            closing = client.close() if client is not None else None
            if asyncio.iscoroutine(closing):
                await closing


@functools.cache
def _reined(kind: type[BaseLLM]) -> type[BaseLLM]:
    # Without the engine's own retry layer: retries are the client's, bounded by the model's settings.
    plain_call = getattr(kind.call, "__wrapped__", kind.call)
    plain_acall = getattr(kind.acall, "__wrapped__", kind.acall)

    async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._pace is not None:
            await self._pace.turn()
        if (at_work := scene.attempt.get()) is not None:
            at_work.let_call_begin()
        args, kwargs = _to_send(args, kwargs)
        return sound(await plain_acall(self, *args, **kwargs))

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        at_work = scene.attempt.get()
        if at_work is None or not hasattr(kind, "_build_async_client"):
            return _guarded_call(at_work, plain_call, self, *args, **kwargs)
        try:
            return at_work.wait_for(_call_beside(self, *args, **kwargs), beside())
        finally:
            scene.reserved.set(None)

    # The mark keeps the engine from wrapping its retry layer around these again.
    for method in (call, acall):
        setattr(method, "_crewai_rate_limit_wrapped", True)  # noqa: B010 - a mark, not an attribute
    body = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__annotations__": {"_binding": Any, "_pace": Any},
        "_binding": None,
        "_pace": None,
        "call": call,
        "acall": acall,
    }
    made: type[BaseLLM] = types.new_class(kind.__name__, (kind,), {}, lambda names: names.update(body))
    return made


def _guarded_call(at_work: Any, plain_call: Any, llm: Any, *args: Any, **kwargs: Any) -> Any:
    if at_work is not None:
        at_work.let_call_begin()
    args, kwargs = _to_send(args, kwargs)
    return sound(plain_call(llm, *args, **kwargs))


def sound(value: Any) -> Any:
    """Texts without half characters: no client can send them, so one in an answer fails the next call.

    What is sound already is given back as it is, the same object.
    """
    if isinstance(value, str):
        return join_surrogates(value)
    if isinstance(value, list | tuple):
        items = [sound(one) for one in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, dict):
        changed = _mended(value.items())
        return {**value, **changed} if changed else value
    if isinstance(value, BaseModel):
        changed = _mended(value)
        return value.model_copy(update=changed) if changed else value
    return value


def _mended(fields: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    return {name: new for name, old in fields if (new := sound(old)) is not old}


def _to_send(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, its messages sound: tools bring texts, too."""
    if args:
        return (sound(args[0]), *args[1:]), kwargs
    return args, {**kwargs, "messages": sound(kwargs["messages"])}


async def _call_beside(llm: Any, *args: Any, **kwargs: Any) -> Any:
    own = copy.copy(llm)
    own._async_client = own._build_async_client()  # a client must not cross event loops
    try:
        with call_stop_override(own, llm.stop_sequences):
            return await own.acall(*args, **kwargs)
    finally:
        await own._async_client.close()


@functools.cache
def beside() -> asyncio.AbstractEventLoop:
    """The loop that makes the calls of blocking code; one per process, in a daemon thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="crew-calls", daemon=True).start()
    return loop


class Waits:
    """The work that blocked threads of one attempt wait for, so that it can be cancelled. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Future[Any]] = set()
        self._cancelled = False

    def result_of(self, work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        """Run `work` in `loop` and wait for it. Raises CancelledError when cancelled meanwhile."""
        with self._lock:
            if self._cancelled:
                work.close()
                raise CancelledError
            future = asyncio.run_coroutine_threadsafe(work, loop)
            self._open.add(future)
        try:
            return future.result()
        finally:
            with self._lock:
                self._open.discard(future)

    def cancel(self) -> None:
        """Cancel all of it, and all to come."""
        with self._lock:
            self._cancelled = True
            waiting = list(self._open)
        for future in waiting:
            future.cancel()
