"""Puts the run's inputs into `kickoff`, and reports what the outermost kickoff returns."""

import contextlib
import functools
import inspect
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from .channel import channel
from .flow_states import begin_flow
from .json_values import read_output
from .langchain_models import CREW_MODELS, accept_langchain_models

_is_inside: ContextVar[bool] = ContextVar("crewai_runner_kickoff", default=False)
_WITH_INPUTS = ("kickoff", "kickoff_async", "akickoff")
_WITHOUT_INPUTS = ("kickoff_for_each", "kickoff_for_each_async", "akickoff_for_each")
"""These receive a list of inputs, which the run's inputs would make all the same."""


class Results:
    """The outputs of the kickoffs so far."""

    outermost: Any = None
    nested: Any = None

    def record_nested(self, kicked_off: Any, output: Any) -> Any:
        """Record and return the output of a kickoff inside another, such as a crew's in a flow."""
        if output is not None and not _is_internal(kicked_off) and not _is_stream(output):
            self.nested = output
        return output

    def find_last(self) -> Any:
        return self.nested if self.outermost is None else self.outermost


results = Results()
passed_names: set[str] = set()
"""Inputs that were arguments of the entry point: what its code makes of them is not overridden."""


def patch_crew(module: ModuleType) -> None:
    accept_langchain_models(module.Crew, CREW_MODELS)
    _patch(module.Crew)


def patch_flow(module: ModuleType) -> None:
    flow = vars(module).get("Flow")
    if flow is not None and flow.__module__ == module.__name__:
        for name in _WITH_INPUTS:
            original = vars(flow).get(name)
            if original is not None and "inputs" in inspect.signature(original).parameters:
                setattr(flow, name, _restoring(original))
        _patch(flow)


def _restoring(original: Any) -> Any:
    """Let a flow begin with the state that it saved in an earlier attempt, unless its code names one."""

    @functools.wraps(original)
    def kickoff(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_internal(self):
            return original(self, *args, **kwargs)
        with begin_flow(self) as restored:
            args, kwargs = _merge_inputs(args, kwargs, restored, is_overriding=False)
            return original(self, *args, **kwargs)

    @functools.wraps(original)
    async def kickoff_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_internal(self):
            return await original(self, *args, **kwargs)
        with begin_flow(self) as restored:
            args, kwargs = _merge_inputs(args, kwargs, restored, is_overriding=False)
            return await original(self, *args, **kwargs)

    return kickoff_async if inspect.iscoroutinefunction(original) else kickoff


def _patch(kind: Any) -> None:
    for name in _WITH_INPUTS + _WITHOUT_INPUTS:
        original = vars(kind).get(name)
        if original is not None:
            setattr(kind, name, _wrap(original, name in _WITH_INPUTS))


def _wrap(original: Any, takes_inputs: bool) -> Any:
    accepts = takes_inputs and "inputs" in inspect.signature(original).parameters

    @functools.wraps(original)
    def kickoff(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_inside.get() or _is_internal(self):
            return results.record_nested(self, original(self, *args, **kwargs))
        args, kwargs = _override_inputs(args, kwargs) if accepts else (args, kwargs)
        with _outermost():
            return _report(original(self, *args, **kwargs))

    @functools.wraps(original)
    async def kickoff_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_inside.get() or _is_internal(self):
            return results.record_nested(self, await original(self, *args, **kwargs))
        args, kwargs = _override_inputs(args, kwargs) if accepts else (args, kwargs)
        with _outermost():
            return _report(await original(self, *args, **kwargs))

    return kickoff_async if inspect.iscoroutinefunction(original) else kickoff


def _is_internal(kicked_off: Any) -> bool:
    """Return whether it is a flow of crewai itself: from 1.10 on, each agent step is an AgentExecutor."""
    kind = type(kicked_off)
    return kind.__name__ != "Crew" and kind.__module__.startswith("crewai.")


def _is_stream(output: Any) -> bool:
    return hasattr(output, "__next__") or hasattr(output, "__anext__")


@contextlib.contextmanager
def _outermost() -> Iterator[None]:
    token = _is_inside.set(True)
    try:
        yield
    finally:
        _is_inside.reset(token)


def _override_inputs(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    started = channel.start().get("inputs") or {}
    values = {name: value for name, value in started.items() if name not in passed_names}
    return _merge_inputs(args, kwargs, values, is_overriding=True)


def _merge_inputs(
    args: tuple[Any, ...], kwargs: dict[str, Any], values: dict[str, Any], *, is_overriding: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = args[0] if args else kwargs.get("inputs")
    if not values or not (given is None or isinstance(given, dict)):
        return args, kwargs
    merged = {**(given or {}), **values} if is_overriding else {**values, **(given or {})}
    if args:
        return (merged, *args[1:]), kwargs
    return args, {**kwargs, "inputs": merged}


def _report(output: Any) -> Any:
    if _is_stream(output):
        return output  # its result is not known yet
    last = next(reversed(output), None) if isinstance(output, list) else output
    if last is not None:
        results.outermost = last
        with contextlib.suppress(Exception):
            raw, structured = read_output(last)
            channel.send("crew.completed", raw=raw, json_output=structured)
    return output
