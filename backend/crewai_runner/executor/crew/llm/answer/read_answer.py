"""Reads the answer from an open HTTP response."""

from collections.abc import AsyncIterator, Callable

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

_LOST = (httpx.ReadError, httpx.RemoteProtocolError)
_CLOSED = "the connection was closed before the end of the answer"
OnText = Callable[[str], None]


async def read_answer(body: AsyncIterator[bytes], headers: httpx.Headers, on_text: OnText) -> ChatAnswer:
    """Return the answer, after passing each new piece of its text to `on_text`.

    Raises an AnswerError that holds the usage reported so far, and what httpx raises.
    """
    assembler, decoder = ChatAnswerAssembler(), BodyDecoder()
    is_delimited = _is_delimited(headers)
    try:
        await _read_body(body, assembler, decoder, on_text)
        rest, answer = assembler.finish()
        if rest:
            on_text(rest)
        return _complete(answer, assembler, decoder, is_delimited=is_delimited)
    except AnswerError as error:
        if isinstance(error, UnreadableAnswer) and not is_delimited:
            error = AnswerInterrupted(_CLOSED)
        error.usage = assembler.usage
        raise error from error.__cause__


async def _read_body(
    body: AsyncIterator[bytes], assembler: ChatAnswerAssembler, decoder: BodyDecoder, on_text: OnText
) -> None:
    try:
        async for data in body:
            for payload in decoder.feed(data):
                if text := assembler.add(payload):
                    on_text(text)
            if decoder.is_done:
                break
        for payload in decoder.finish():
            if text := assembler.add(payload):
                on_text(text)
    except _LOST as error:
        if assembler.is_finished:  # only the end mark was lost
            return
        raise AnswerInterrupted(str(error) or "the connection was reset") from error


def _complete(
    answer: ChatAnswer,
    assembler: ChatAnswerAssembler,
    decoder: BodyDecoder,
    *,
    is_delimited: bool,
) -> ChatAnswer:
    if decoder.stray_text is not None and answer.is_empty:
        raise UnreadableAnswer(decoder.stray_text)
    has_ended = decoder.is_done or assembler.is_finished or not decoder.is_event_stream
    if not has_ended and not is_delimited:
        raise AnswerInterrupted(_CLOSED)
    if answer.refusal and not answer.text.strip() and not answer.tool_calls:
        raise AnswerRefused(answer.refusal)
    if not assembler.has_choice:
        raise AnswerMissing("the response holds no choices")
    if answer.is_empty and answer.reasoning and judge_finish(answer.finish_reason) is Finish.COMPLETE:
        raise AnswerMissing("it holds only the model's reasoning")
    return answer if has_ended else answer.with_finish_reason(UNFINISHED)


def _is_delimited(headers: httpx.Headers) -> bool:
    """Return whether the end of the body can be distinguished from a lost connection."""
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
