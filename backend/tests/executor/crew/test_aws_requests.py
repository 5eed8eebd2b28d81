"""Amazon's clients obey the egress policy and the limits of answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits, AnswerTooLarge
from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.provider import ProviderType
from tests.executor.crew.llm_support import HELLO, binding, causes_of, create_llm
from tests.executor.engine_modules import import_engine_module
from tests.support.servers import server

close_clients = import_engine_module("compat.llm_internals").close_clients
classify_error = import_engine_module("errors.classify").classify_error
pytest.importorskip("aiobotocore", exc_type=ImportError)
pytestmark = pytest.mark.crew
MODEL = "anthropic.claude-3-5-sonnet-20241022-v2:0"
LIMITS = AnswerLimits(max_bytes=MEGABYTE)


@asynccontextmanager
async def endless_server(
    head: str = "Content-Type: application/json",
) -> AsyncIterator[tuple[str, list[int]]]:
    """Sends an answer without an end; the list holds the number of bytes sent to each client."""
    sent: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        index = len(sent)
        sent.append(0)
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\nConnection: close\r\n\r\n".encode())
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            sent[index] += 65_536

    async with server(answer) as port:
        yield f"http://127.0.0.1:{port}", sent


def bedrock(url: str, policy: EgressPolicy, *, stream: bool = False) -> Any:
    key = SecretStr("AKIAOWN:own-key")
    llm = create_llm(
        binding(ProviderType.BEDROCK, None, model=MODEL, api_key=key),
        egress=policy,
        stream=stream,
        max_retries=0,
    )
    llm.base_url = url
    return llm


async def call(llm: Any, *, blocking: bool) -> Exception:
    """Make a call that fails; return its error."""
    try:
        with pytest.raises(Exception, match=r".") as failure:
            await (asyncio.to_thread(llm.call, HELLO) if blocking else llm.acall(HELLO))
        return failure.value
    finally:
        await close_clients(llm)


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
class TestBedrock:
    async def test_private_address_is_refused(self, blocking: bool) -> None:
        async with endless_server() as (url, sent):
            error = await call(bedrock(url, EgressPolicy(allow_private=False)), blocking=blocking)

        assert UrlRefused in causes_of(error)
        assert classify_error(error).code == "provider-unreachable"
        assert sent == []

    async def test_name_that_resolves_to_a_private_address_is_refused(self, blocking: bool) -> None:
        answers = iter(["93.184.215.14", "127.0.0.1"])

        def resolve(_host: str, _port: int) -> Sequence[str]:
            return [next(answers)]

        policy = EgressPolicy(allow_private=False, resolve=resolve)
        await policy.check_url("https://bedrock-runtime.us-east-1.amazonaws.com")  # when it was saved

        async with endless_server() as (url, sent):
            port = url.rpartition(":")[2]
            llm = bedrock(f"http://bedrock.example:{port}", policy)
            error = await call(llm, blocking=blocking)

        assert UrlRefused in causes_of(error)
        assert sent == []

    @pytest.mark.parametrize("stream", [False, True])
    async def test_endless_answer_is_cut(self, blocking: bool, stream: bool) -> None:
        head = (
            "Content-Type: application/vnd.amazon.eventstream" if stream else "Content-Type: application/json"
        )
        async with endless_server(head) as (url, sent):
            policy = EgressPolicy(allow_private=True, limits=LIMITS)
            error = await call(bedrock(url, policy, stream=stream), blocking=blocking)

        assert AnswerTooLarge in causes_of(error) or "ChecksumMismatch" in str(causes_of(error))
        assert sum(sent) < 16 * MEGABYTE
