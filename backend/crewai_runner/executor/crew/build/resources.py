"""Knowledge and memory of a crew."""

import asyncio

from crewai_runner.executor.crew.build.component_factory import ComponentFactory
from crewai_runner.executor.crew.build.crew_builder import BuiltCrew, CrewBuilder
from crewai_runner.executor.crew.build.knowledge import create_knowledge, make_search
from crewai_runner.executor.crew.compat.crew_internals import get_memory, set_memory
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.memory_records import StoreMemories
from crewai_runner.executor.port import RunSpec


def require_embedder(spec: RunSpec) -> None:
    """Raise UnusableModel if the workflow uses memory or knowledge and has no registered embedder."""
    definition = spec.definition
    texts = definition.knowledge or any(agent.knowledge for agent in definition.agents)
    uses_knowledge = bool(texts or spec.knowledge)
    if not (definition.memory or uses_knowledge):
        return
    if spec.embedder is None or spec.embedder not in spec.models:
        feature = "memory" if definition.memory else "knowledge"
        raise UnusableModel(
            f"The workflow uses {feature}, and no embedding model is registered for it.",
            code="embedder-missing",
            hint=f"Register a model of type `embedder` and set it as `embedder:`, or disable {feature}.",
        )


async def attach_resources(
    built: BuiltCrew,
    spec: RunSpec,
    factory: ComponentFactory,
    builder: CrewBuilder,
    store_memories: StoreMemories,
) -> None:
    """Give the crew and its agents their knowledge and memory. Raises what the embedder raises."""
    definition = spec.definition
    if spec.embedder is None:
        return
    embedder = factory.make_embedder(spec.models[spec.embedder])
    if definition.knowledge or spec.knowledge:
        knowledge = await create_knowledge(definition.knowledge, embedder, "crew", spec.knowledge)
        built.crew.knowledge = knowledge
        builder.set_knowledge_search(make_search(knowledge))
    for agent in definition.agents:
        if agent.knowledge:
            knowledge = await create_knowledge(agent.knowledge, embedder, agent.key)
            built.agents[agent.key].knowledge = knowledge
    if definition.memory:
        # Few crews have a memory, and CrewAI's is slow to load.
        from crewai_runner.executor.crew.build.memory import open_memory  # noqa: PLC0415

        llm = builder.make_llm(definition.agents[0].model)
        memory = await asyncio.to_thread(
            open_memory, factory.memory_root, spec, embedder, llm, store_memories
        )
        set_memory(built.crew, memory)


async def release_resources(built: BuiltCrew) -> None:
    """Close the crew's memory, if it has one."""
    memory = get_memory(built.crew)
    if memory is None:
        return
    from crewai_runner.executor.crew.build.memory import close_memory  # noqa: PLC0415 - heavy

    await asyncio.to_thread(close_memory, memory)
