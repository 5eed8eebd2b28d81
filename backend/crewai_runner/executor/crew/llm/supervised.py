"""LLMs supervised by the attempt that uses them: each call is counted, rate-limited and can be cancelled.

CrewAI calls LLMs in coroutines, in threads and sometimes in the event loop's own thread. A coroutine is
cancelled by its task. A blocking call runs in the background loop, so that it can be cancelled too.
"""

import asyncio
import contextlib
import functools
import types
from collections.abc import Coroutine, Iterator
from typing import Any

from crewai import BaseLLM

from crewai_runner.executor.crew.compat.llm_internals import (
    belongs_to_running_loop,
    copy_with_new_client,
    has_own_async_client,
    mark_as_decorated,
    without_retries,
)
from crewai_runner.executor.crew.context.background_loop import background_loop
from crewai_runner.executor.crew.context.run_context import (
    CallScope,
    RunContext,
    current_call,
    current_run,
    reserved_call,
)
from crewai_runner.executor.crew.llm.call_outcome import (
    DEFAULT_RETRIES,
    call_with_retries,
    clean_answer,
    translated_errors,
)
from crewai_runner.executor.crew.llm.model_rate_limiter import ModelRateLimiter
from crewai_runner.executor.crew.llm.surrogates import strip_surrogates
from crewai_runner.executor.port import ModelBinding


def supervise_llm(llm: Any, binding: ModelBinding, limiter: ModelRateLimiter | None = None) -> None:
    """Supervise all further calls of an LLM and of its copies, by replacing the object's class."""
    llm_class: Any = type(llm)
    object.__setattr__(llm, "__class__", _supervised_class(llm_class))
    llm.set_supervision(binding, limiter)


def binding_of(llm: Any) -> ModelBinding | None:
    """Return the binding of a supervised LLM."""
    return getattr(llm, "_binding", None)


@functools.cache
def _supervised_class(llm_class: type[BaseLLM]) -> type[BaseLLM]:
    original_call = without_retries(llm_class.call)
    original_acall = without_retries(llm_class.acall)
    is_observed = bool(getattr(llm_class, "sends_observed_requests", False))
    client_retries = bool(getattr(llm_class, "client_retries", True))

    def set_supervision(self: Any, binding: ModelBinding, limiter: ModelRateLimiter | None) -> None:
        self._binding, self._limiter, self._loop = binding, limiter, None

    async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
        if has_own_async_client(llm_class) and not belongs_to_running_loop(self):
            # CrewAI summarizes a long conversation in an event loop of its own.
            return await _acall_copy(self, *args, **kwargs)
        args, kwargs = _strip_messages(args, kwargs)

        async def answer() -> Any:
            with supervise_call(is_observed=is_observed):
                return await original_acall(self, *args, **kwargs)

        retries = getattr(self, "max_retries", DEFAULT_RETRIES)
        return await call_with_retries(answer, retries, self._limiter, client_retries=client_retries)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        run = current_run.get()
        if run is not None and has_own_async_client(llm_class):
            return run_in_background(_acall_copy(self, *args, **kwargs))
        args, kwargs = _strip_messages(args, kwargs)
        with translated_errors(), supervise_call(is_observed=is_observed):
            return clean_answer(original_call(self, *args, **kwargs))

    mark_as_decorated(call)
    mark_as_decorated(acall)
    members = {
        "__module__": llm_class.__module__,
        "__qualname__": llm_class.__qualname__,
        "__annotations__": {"_binding": Any, "_limiter": Any, "_loop": Any},
        "_binding": None,
        "_limiter": None,
        "_loop": None,
        "set_supervision": set_supervision,
        "call": call,
        "acall": acall,
    }
    supervised: type[BaseLLM] = types.new_class(
        llm_class.__name__, (llm_class,), {}, lambda namespace: namespace.update(members)
    )
    return supervised


class SupervisedCall:
    """A model call of the current run, or of none (`run` is None, and nothing is reported)."""

    def __init__(self, run: RunContext | None, *, is_observed: bool) -> None:
        self._run = run
        number = run.reserve_call() if run is not None else None
        self.scope = CallScope(is_observed=is_observed, number=number)

    def open(self, binding: ModelBinding | None, count: int, prompt: str) -> None:
        """Begin a call for which CrewAI emits no events: `count` texts, the last one being `prompt`."""
        if self._run is not None and binding is not None:
            self._run.open_call(self.scope, binding, count, prompt)

    def complete(self, usage: dict[str, Any]) -> None:
        """Complete a call that was begun with `open`."""
        if self._run is not None:
            self._run.complete_call(self.scope, usage)

    def end(self, error: BaseException | None) -> None:
        """End the call's events if they are still open."""
        if self._run is not None:
            self._run.end_call(self.scope, error)


@contextlib.contextmanager
def supervise_call(*, is_observed: bool) -> Iterator[SupervisedCall]:
    """Reserve a call of the current run, and end its events however it ends. Raises AttemptEnded."""
    call = SupervisedCall(current_run.get(), is_observed=is_observed)
    reserved_call.set(None)
    token = current_call.set(call.scope)
    try:
        yield call
    except BaseException as error:
        call.end(error)
        raise
    else:
        call.end(None)
    finally:
        current_call.reset(token)


def run_in_background(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a model call in the background loop and block until it is done; a stop cancels it."""
    run = current_run.get()
    if run is None:
        return asyncio.run_coroutine_threadsafe(work, background_loop()).result()
    try:
        return run.run_blocking(work, background_loop())
    finally:
        reserved_call.set(None)


async def _acall_copy(llm: Any, *args: Any, **kwargs: Any) -> Any:
    async with copy_with_new_client(llm) as copied:
        return await copied.acall(*args, **kwargs)


def _strip_messages(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Strip surrogates from the messages of a call, which tools may have put there."""
    if args:
        return (strip_surrogates(args[0]), *args[1:]), kwargs
    return args, {**kwargs, "messages": strip_surrogates(kwargs["messages"])}
