"""Reads the answer from an open response."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from crewai_runner.executor.crew.context.exceptions import (
    AnswerError,
    AnswerInterrupted,
    AnswerMissing,
    AnswerRefused,
    UnreadableAnswer,
)
from crewai_runner.executor.crew.llm.answer.body_decoder import BodyDecoder
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer, ChatAnswerAssembler
from crewai_runner.executor.crew.llm.answer.finish_reason import UNFINISHED, Finish, judge_finish
from crewai_runner.executor.port import ReplacingText

_LOST = (httpx.ReadError, httpx.RemoteProtocolError, AnswerInterrupted)
_CLOSED = "the connection was closed before the end of the answer"
OnText = Callable[[str], None]
"""Receives the answer in pieces; a ReplacingText replaces those before it."""
Translate = Callable[[Any], Any]
"""Returns the chat completion payloads, one or a list, for a payload of another protocol."""


def unchanged(payload: Any) -> Any:
    """Return a payload that is a chat completion's already."""
    return payload


async def read_answer(
    body: AsyncIterator[bytes], headers: httpx.Headers, on_text: OnText, translate: Translate = unchanged
) -> ChatAnswer:
    """Return the answer, after passing each new piece of its text to `on_text`.

    Raises an AnswerError that holds the usage reported so far, and what httpx raises.
    """
    assembler, decoder = ChatAnswerAssembler(), BodyDecoder()
    is_delimited = _is_delimited(headers)
    try:
        await _add_payloads(_decode(body, decoder), assembler, on_text, translate)
        has_ended = decoder.is_done or assembler.is_finished or not decoder.is_event_stream
        answer = _finish(assembler, on_text)
        if decoder.stray_text is not None and answer.is_empty:
            raise UnreadableAnswer(decoder.stray_text)
        if not has_ended and not is_delimited:
            raise AnswerInterrupted(_CLOSED)
        return _check(answer, assembler, has_ended=has_ended)
    except AnswerError as error:
        if isinstance(error, UnreadableAnswer) and not is_delimited:
            error = AnswerInterrupted(_CLOSED)
        error.usage = assembler.usage
        raise error from error.__cause__


async def read_events(events: AsyncIterator[Any], on_text: OnText, translate: Translate) -> ChatAnswer:
    """`read_answer` for payloads that the provider's client has decoded."""
    assembler = ChatAnswerAssembler()
    try:
        await _add_payloads(events, assembler, on_text, translate)
        return _check(_finish(assembler, on_text), assembler, has_ended=assembler.is_finished)
    except AnswerError as error:
        error.usage = assembler.usage
        raise


async def _decode(body: AsyncIterator[bytes], decoder: BodyDecoder) -> AsyncIterator[Any]:
    async for data in body:
        for payload in decoder.feed(data):
            yield payload
        if decoder.is_done:
            break
    for payload in decoder.finish():
        yield payload


async def _add_payloads(
    payloads: AsyncIterator[Any], assembler: ChatAnswerAssembler, on_text: OnText, translate: Translate
) -> None:
    try:
        async for payload in payloads:
            text = assembler.add(translate(payload))
            if text or isinstance(text, ReplacingText):
                on_text(text)
    except _LOST as error:
        if assembler.is_finished:  # only the end mark was lost
            return
        raise AnswerInterrupted(str(error) or "the connection was reset") from error


def _finish(assembler: ChatAnswerAssembler, on_text: OnText) -> ChatAnswer:
    rest, answer = assembler.finish()
    if rest or isinstance(rest, ReplacingText):
        on_text(rest)
    return answer


def _check(answer: ChatAnswer, assembler: ChatAnswerAssembler, *, has_ended: bool) -> ChatAnswer:
    if answer.refusal and not answer.text.strip() and not answer.tool_calls:
        raise AnswerRefused(answer.refusal)
    if not assembler.has_choice:
        raise AnswerMissing("the response holds no choices")
    if not has_ended:
        return answer.with_finish_reason(UNFINISHED)
    if answer.is_empty and answer.reasoning and judge_finish(answer.finish_reason) is Finish.COMPLETE:
        raise AnswerMissing("it holds only the model's reasoning")
    return answer


def _is_delimited(headers: httpx.Headers) -> bool:
    """Return whether the end of the body can be distinguished from a lost connection."""
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
