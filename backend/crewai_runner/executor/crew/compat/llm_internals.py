"""Private members of CrewAI's LLM classes: clients, retries and per-call overrides."""

import asyncio
import contextlib
import contextvars
import copy
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from crewai.events.event_bus import crewai_event_bus
from crewai.events.types.llm_events import LLMStreamChunkEvent
from crewai.llms.base_llm import BaseLLM, call_stop_override, get_current_call_id


def without_retries(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return `call` or `acall` without CrewAI's retries; the client retries as the model's settings say."""
    undecorated: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return undecorated


def mark_as_decorated(method: Callable[..., Any]) -> None:
    """Keep CrewAI from adding its retries to a method of a subclass."""
    setattr(method, "_crewai_rate_limit_wrapped", True)  # noqa: B010 - not an attribute of functions


def has_own_async_client(llm_class: type[BaseLLM]) -> bool:
    """Return whether objects of the class can create async clients."""
    return hasattr(llm_class, "_build_async_client")


@contextlib.asynccontextmanager
async def copy_with_new_client(llm: Any) -> AsyncIterator[Any]:
    """Yield a copy with a client for the running event loop: a client must not be shared between loops."""
    copied = copy.copy(llm)
    copied._async_client = copied._build_async_client()
    copied._loop = None
    try:
        with call_stop_override(copied, llm.stop_sequences):
            yield copied
    finally:
        await copied._async_client.close()


def belongs_to_running_loop(llm: Any) -> bool:
    """Return whether the LLM's client may be used in the running event loop, the first that uses it."""
    loop = asyncio.get_running_loop()
    if llm._loop is None:
        llm._loop = loop
    return llm._loop is loop


class TextReplacedEvent(LLMStreamChunkEvent):
    """`chunk` replaces the text streamed before it."""

    type: Literal["llm_text_replaced"] = "llm_text_replaced"


def emit_replacing_text(llm: Any, text: str, **source: Any) -> None:
    """Emit a TextReplacedEvent of the current call; `source` is its task and agent."""
    event = TextReplacedEvent(chunk=text, call_id=get_current_call_id(), **source)
    crewai_event_bus.emit(llm, event=event)


async def close_clients(llm: Any) -> None:
    """Close the connections of an LLM. Call it in the event loop that used them."""
    names = ("_client", "_async_client", "_blocking_requests")
    for client in (getattr(llm, name, None) for name in names):
        with contextlib.suppress(Exception):
            closing = client.close() if client is not None else None
            if asyncio.iscoroutine(closing):
                await closing


def call_in_new_loop(llm: Any, work: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Run `work` on a copy of an LLM in an event loop of its own, and block until it is done."""

    async def run() -> Any:
        async with copy_with_new_client(llm) as copied:
            return await work(copied)

    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, run()).result()
