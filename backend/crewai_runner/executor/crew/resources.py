"""Knowledge and memory of a crew."""

import asyncio
import hashlib
import importlib
import shutil
from pathlib import Path
from typing import Any

from crewai_runner.executor.crew.build import Builder, Built
from crewai_runner.executor.crew.knowledge import knowledge_of
from crewai_runner.executor.crew.model_facts import UnusableModel
from crewai_runner.executor.crew.workshop import Workshop
from crewai_runner.executor.port import RunSpec


def require_embedder(spec: RunSpec) -> None:
    """Raises UnusableModel when the workflow remembers or knows things and no embedder is given for it."""
    definition = spec.definition
    knows = bool(definition.knowledge or any(agent.knowledge for agent in definition.agents))
    if not (definition.memory or knows):
        return
    if definition.embedder is None or definition.embedder not in spec.models:
        what = "memory" if definition.memory else "knowledge"
        raise UnusableModel(
            f"The workflow uses {what}, and no embedding model is registered for it.",
            code="embedder-missing",
            hint="Register a model of type `embedder` and name it under `embedder:`, or switch it off.",
        )


async def equip(built: Built, spec: RunSpec, workshop: Workshop, builder: Builder) -> None:
    """Give the crew and its agents what they know and remember. Raises what the embedder raises."""
    definition = spec.definition
    if definition.embedder is None:
        return
    embedder = workshop.make_embedder(spec.models[definition.embedder])
    if definition.knowledge:
        built.crew.knowledge = await knowledge_of(definition.knowledge, embedder, "crew")
    for agent in definition.agents:
        if agent.knowledge:
            known = await knowledge_of(agent.knowledge, embedder, agent.key)
            built.agents[agent.key].knowledge = known
    if definition.memory:
        llm = builder.llm(definition.agents[0].model)
        memory = await asyncio.to_thread(_memory, spec, workshop, embedder, llm)
        # The engine sets the one from the other whenever it validates the crew anew.
        built.crew.memory = built.crew._memory = memory


def memory_folder(spec: RunSpec, workshop: Workshop) -> Path:
    """Where this run's memories are: a folder that no other scope shares."""
    scope = spec.memory_scope or f"run:{spec.run_id}"
    return workshop.memories / hashlib.sha256(scope.encode()).hexdigest()[:32]


async def put_away(built: Built, spec: RunSpec, workshop: Workshop) -> None:
    """Close the crew's memory; remove it when it was kept for this run alone."""
    memory = built.crew._memory
    if memory is None:
        return
    await asyncio.to_thread(memory.close)
    if spec.memory_scope is None:
        await asyncio.to_thread(shutil.rmtree, memory_folder(spec, workshop), ignore_errors=True)


def _memory(spec: RunSpec, workshop: Workshop, embedder: dict[str, Any], llm: Any) -> Any:
    # Heavy, and few crews remember.
    memory = importlib.import_module("crewai_runner.executor.crew.memory")
    return memory.memory_in(memory_folder(spec, workshop), embedder, llm)
