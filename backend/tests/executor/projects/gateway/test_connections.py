"""The ledger of the connections to providers, compared with what a proxy in front of them has seen."""

from pathlib import Path

import pytest

from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, RunConnectionPurpose
from crewai_runner.executor.crew.context.run_context import TaskScope
from tests.executor.projects.gateway.harness import CHAT, model, open_gateway
from tests.support.recording_proxy import recording_proxy
from tests.support.scripted_provider import Drop, Say, ScriptedProvider


@pytest.mark.parametrize("stream", [False, True])
async def test_equals_what_the_proxy_has_seen(
    tmp_path: Path, provider: ScriptedProvider, stream: bool
) -> None:
    provider.on(Say("Hello there"))
    ledger: list[RunConnection] = []

    with recording_proxy(provider.port) as proxy:
        binding = model(provider, base_url=f"http://127.0.0.1:{proxy.port}/v1")
        scope = TaskScope(task_key="draft", agent="writer")
        spec = {"note_connection": ledger.append, "find_scope": lambda: scope}
        async with open_gateway(tmp_path, binding, **spec) as gateway, gateway.client() as client:
            for _ in range(3):
                answer = await client.post("/v1/chat/completions", json={**CHAT, "stream": stream})
                assert answer.status_code == 200

    assert [(one.purpose, one.name, one.agent, one.task_key, one.port) for one in ledger] == [
        (RunConnectionPurpose.MODEL, "scripted", "writer", "draft", proxy.port)
    ] * 3
    assert sum(one.sent_bytes for one in ledger) == proxy.sent
    assert sum(one.received_bytes for one in ledger) == proxy.received


async def test_broken_call_is_an_entry(tmp_path: Path, provider: ScriptedProvider) -> None:
    provider.on(Drop())
    ledger: list[RunConnection] = []

    with recording_proxy(provider.port) as proxy:
        binding = model(provider, base_url=f"http://127.0.0.1:{proxy.port}/v1")
        async with (
            open_gateway(tmp_path, binding, note_connection=ledger.append) as gateway,
            gateway.client() as client,
        ):
            await client.post("/v1/chat/completions", json=CHAT)

    assert {one.result for one in ledger} == {ConnectionResult.FAILED}
    assert sum(one.sent_bytes for one in ledger) == proxy.sent
