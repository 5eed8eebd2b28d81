"""The makers a crew is built with, chosen once when the engine is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crewai.agents.agent_executor import AgentExecutor
from crewai.tasks.llm_guardrail import LLMGuardrail

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.workflow import ModelSettings
from crewai_runner.executor.crew import embedders, tools
from crewai_runner.executor.crew import llm as models
from crewai_runner.executor.crew.native import NativeExecutor
from crewai_runner.executor.port import ModelBinding


@dataclass(frozen=True, slots=True)
class Workshop:
    """`native` False: agents run in the engine's own loop. `memories` is a folder."""

    memories: Path
    egress: EgressPolicy | None = None
    native: bool = True

    @property
    def executor_class(self) -> type[Any]:
        return NativeExecutor if self.native else AgentExecutor

    def make_llm(self, binding: ModelBinding, *, settings: ModelSettings, stream: bool) -> Any:
        return models.make_llm(binding, settings=settings, stream=stream, egress=self.egress)

    def make_tools(self, names: Sequence[str]) -> list[Any]:
        return list(tools.make_tools(names, egress=self.egress)) if names else []

    def make_embedder(self, binding: ModelBinding) -> dict[str, Any]:
        return embedders.make_embedder(binding, egress=self.egress)

    def text_guardrail(self, text: str, judge: Any) -> Any:
        """A guardrail judged by a model that is no agent's."""
        return LLMGuardrail(description=text, llm=judge)
