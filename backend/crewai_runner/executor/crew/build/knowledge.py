"""Knowledge texts of a run, searched by embedding similarity in memory."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from crewai import Knowledge
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource
from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage
from crewai.rag.embeddings.factory import build_embedder
from pydantic import PrivateAttr

from crewai_runner.executor.knowledge_chunks import KnowledgeChunk
from crewai_runner.executor.tools.runner import SearchKnowledge


class InMemoryKnowledgeStorage(BaseKnowledgeStorage):
    """Stores embedded texts in a list. The async methods embed in a thread, so that a stop cancels them."""

    embed: Any
    _texts: list[str] = PrivateAttr(default_factory=list)
    _vectors: list[Any] = PrivateAttr(default_factory=list)

    def search(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,  # noqa: ARG002 - CrewAI's signature
        score_threshold: float = 0.6,
    ) -> list[Any]:
        """Return the most similar texts, best first. Scores are CrewAI's: 0 to 1, where 0.5 is unrelated."""
        if not self._texts or not query:
            return []
        query_vector = _to_unit_vectors(self.embed(["\n".join(query)]))[0]
        scores = (1 + np.stack(self._vectors) @ query_vector) / 2
        best = [int(index) for index in np.argsort(-scores)[:limit] if scores[index] >= score_threshold]
        return [
            {"id": str(i), "content": self._texts[i], "metadata": {}, "score": float(scores[i])} for i in best
        ]

    async def asearch(
        self,
        query: list[str],
        limit: int = 5,
        metadata_filter: dict[str, Any] | None = None,
        score_threshold: float = 0.6,
    ) -> list[Any]:
        return await asyncio.to_thread(self.search, query, limit, metadata_filter, score_threshold)

    def save(self, documents: list[str]) -> None:
        if documents:
            self._vectors.extend(_to_unit_vectors(self.embed(list(documents))))
            self._texts.extend(documents)

    def add_chunks(self, chunks: Sequence[KnowledgeChunk]) -> None:
        """Add pieces of files; those without a vector are embedded. Each says which file it is from."""
        missing = [chunk for chunk in chunks if chunk.vector is None]
        self.save([_cite(chunk) for chunk in missing])
        for chunk in chunks:
            if chunk.vector is not None:
                self._texts.append(_cite(chunk))
                self._vectors.append(np.frombuffer(chunk.vector, dtype=np.float32))

    async def asave(self, documents: list[str]) -> None:
        await asyncio.to_thread(self.save, documents)

    def reset(self) -> None:
        self._texts.clear()
        self._vectors.clear()

    async def areset(self) -> None:
        self.reset()


async def create_knowledge(
    texts: Sequence[str], embedder: dict[str, Any], name: str, chunks: Sequence[KnowledgeChunk] = ()
) -> Knowledge:
    """Split and embed the texts, and add the chunks of files. Raises what the embedder raises."""
    storage = InMemoryKnowledgeStorage(embed=build_embedder(embedder))
    sources = [StringKnowledgeSource(content=text) for text in texts]
    knowledge = Knowledge(collection_name=name, sources=sources, storage=storage)
    await knowledge.aadd_sources()
    await asyncio.to_thread(storage.add_chunks, chunks)
    return knowledge


def make_search(knowledge: Knowledge) -> SearchKnowledge:
    """Return what searches the knowledge for a tool."""

    async def search(query: str, limit: int) -> list[str]:
        if knowledge.storage is None:
            return []
        found = await knowledge.storage.asearch([query], limit=limit)
        return [str(one["content"]) for one in found]

    return search


def _cite(chunk: KnowledgeChunk) -> str:
    return f"[{chunk.file}]\n{chunk.text}"


def _to_unit_vectors(vectors: Sequence[Any]) -> list[Any]:
    arrays = [np.asarray(vector, dtype=np.float32) for vector in vectors]
    return [array / (float(np.linalg.norm(array)) or 1.0) for array in arrays]
