"""The gateway on uvloop, which the server uses where it is installed; its transports are other classes."""

import asyncio
from pathlib import Path

import pytest

from tests.executor.projects.gateway.harness import CHAT, model, open_gateway
from tests.support.scripted_provider import Say, ScriptedProvider

uvloop = pytest.importorskip("uvloop")


def test_answers(provider: ScriptedProvider, tmp_path: Path) -> None:
    provider.on(Say("Good day"))

    async def call() -> tuple[int, str]:
        async with open_gateway(tmp_path, model(provider)) as gateway, gateway.client() as client:
            response = await client.post("/v1/chat/completions", json=CHAT)
            return response.status_code, response.json()["choices"][0]["message"]["content"]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(call()) == (200, "Good day")
