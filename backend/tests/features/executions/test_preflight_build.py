"""What preflight calls ready is accepted by a start, and its crew can be built by CrewAI."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.executor.port import RunSpec
from crewai_runner.features.executions.spec_builder import RunSpecBuilder
from tests.executor.engine_modules import import_engine_module
from tests.support.harness import ON_SQLITE, RunHarness

pytestmark = [pytest.mark.crew, ON_SQLITE]

KEY = "sk-preflight-0123456789abcdef"
PROVIDERS: dict[str, dict[str, Any]] = {
    "good": {"type": "openai_compatible", "base_url": "http://127.0.0.1:9/v1"},
    "keyless": {"type": "openai"},
    "unreadable": {"type": "openai", "sealed_api_key": "not-encrypted-with-our-key"},
    "anthropic": {"type": "anthropic", "key": KEY},
    "bedrock": {"type": "bedrock", "key": "only-one-part"},
    "gemini": {"type": "gemini", "key": KEY},
    "local": {"type": "local"},
}
CREW = """\
name: Built
agents:
  one: {{role: R, goal: G, backstory: B, llm: {llm}{agent}}}
  two: {{role: S, goal: G, backstory: B, llm: good}}
tasks:
  first: {{description: D, expected_output: E, agent: one{task}}}
  second: {{description: D, expected_output: E, agent: two}}
{top}
"""
CHANGES = [
    {"top": "memory: true"},
    {"top": "knowledge: [a fact]"},
    {"agent": ", knowledge: [a fact]"},
    {"top": "process: hierarchical"},
    {"top": "process: hierarchical\nmanager_llm: {llm}"},
    {"agent": ", planning: true, guardrail: Be kind, inject_date: true, date_format: '%Q'"},
    {"task": ", guardrails: [Be kind, Be short], markdown: true, human_input: true"},
    {"task": ", output_json: {type: object, properties: {a: {type: array, items: {type: string}}}}"},
    {"agent": ", tools: [calculator, http_get], system_template: '{{{{ .System }}}}'"},
    *({"top": f"memory: true\nembedder: e-{name}"} for name in PROVIDERS),
    *({"llm": name} for name in PROVIDERS),
    {"llm": "unregistered"},
]


@pytest.fixture(autouse=True)
async def catalog(harness: RunHarness) -> None:
    deps = harness.container.provider_deps()
    async with harness.session() as session:
        for name, columns in PROVIDERS.items():
            own = {field: value for field, value in columns.items() if field != "key"}
            if "key" in columns:
                own["sealed_api_key"] = deps.cipher.encrypt(columns["key"])
            row = {"workspace_id": "ws_default", "options": {}, "models": []}
            session.add(ProviderRow(id=f"prov_{name}", name=name, **row, **own))
            await session.flush()
            for prefix, kind in (("", "llm"), ("e-", "embedder")):
                session.add(
                    ModelRow(
                        id=f"mdl_{prefix}{name}",
                        workspace_id="ws_default",
                        provider_id=f"prov_{name}",
                        name=f"{prefix}{name}",
                        type=kind,
                    )
                )


def write_document(change: dict[str, str]) -> str:
    parts = {"llm": "good", "agent": "", "task": "", "top": ""} | change
    parts["top"] = parts["top"].replace("{llm}", parts["llm"])
    return CREW.format(**parts)


def build(spec: RunSpec, folder: Path) -> None:
    """Build everything of the crew that needs no provider."""
    import_engine_module("compat.environment").ignore_engine_warnings()
    factory_class = import_engine_module("build.component_factory").ComponentFactory
    factory = factory_class(memory_root=folder)
    import_engine_module("build.resources").require_embedder(spec)
    keys = import_engine_module("context.agent_keys").AgentKeyMap()
    import_engine_module("build.crew_builder").CrewBuilder(spec, keys, factory).build()
    if spec.embedder is not None:
        factory.make_embedder(spec.models[spec.embedder])


@pytest.mark.parametrize("default_embedder", [None, "e-good"])
async def test_ready_run_can_be_built(
    harness: RunHarness, client: httpx.AsyncClient, tmp_path: Path, default_embedder: str | None
) -> None:
    if default_embedder is not None:
        async with harness.session() as session:
            (await session.get_one(ModelRow, f"mdl_{default_embedder}")).is_default = True
    ready = 0
    for change in CHANGES:
        document = write_document(change)

        report = (await client.post("/runs/preflight", json={"workflow": document})).json()
        started = await client.post("/runs", json={"workflow": document})

        assert report["ready"] is (started.status_code == 202), (document, report, started.text)
        if report["ready"]:
            ready += 1
            spec = await RunSpecBuilder(harness.deps).build(started.json()["runId"], fencing_token=1)
            build(spec.spec, tmp_path)
    assert ready >= 8


async def test_run_without_an_embedder_has_no_memory(
    harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_model, "is_available", lambda: False)
    document = write_document({"top": "memory: true"})

    report = (await client.post("/runs/preflight", json={"workflow": document})).json()
    started = (await client.post("/runs", json={"workflow": document})).json()
    with_knowledge = write_document({"top": "memory: true", "agent": ", knowledge: [a fact]"})
    refused = await client.post("/runs", json={"workflow": with_knowledge})

    for warnings in (report["warnings"], started["warnings"]):
        assert any("no memory" in warning for warning in warnings)
    spec = await RunSpecBuilder(harness.deps).build(started["runId"], fencing_token=1)
    assert (spec.spec.definition.memory, spec.spec.embedder) == (False, None)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "no-embedder")
