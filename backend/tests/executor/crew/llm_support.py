"""LLM objects for tests, and a server that records requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.port import ModelBinding
from tests.executor.engine_modules import import_engine_module

make_llm = import_engine_module("llm.factory").make_llm
HELLO = [{"role": "user", "content": "hello"}]


def binding(provider_type: ProviderType, base_url: str | None, **more: Any) -> ModelBinding:
    options: dict[str, Any] = {"model": "test-model", "api_key": SecretStr("own-key"), **more}
    return ModelBinding(
        name="m", provider_name="My provider", provider_type=provider_type, base_url=base_url, **options
    )


def create_llm(
    binding: ModelBinding, *, stream: bool = False, egress: EgressPolicy | None = None, **settings: Any
) -> Any:
    return make_llm(binding, settings=ModelSettings(**settings), stream=stream, egress=egress)


def causes_of(error: BaseException | None) -> list[type[BaseException]]:
    found = []
    while error is not None:
        found.append(type(error))
        error = error.__cause__
    return found


async def close_client(llm: Any) -> None:
    await llm._async_client.close()


async def call(llm: Any, **options: Any) -> Any:
    try:
        return await llm.acall(HELLO, **options)
    finally:
        await close_client(llm)


def openai_answer() -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


@asynccontextmanager
async def recording_server(
    answer: dict[str, Any], status: str = "200 OK"
) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer every request with the same body and record the requests."""
    requests: list[str] = []
    body = json.dumps(answer).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        ]
        requests.append(head + (await reader.readexactly(length[0])).decode())
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests
