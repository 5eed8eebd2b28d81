"""Creates the parts of crews: models, tools, embedders, guardrails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crewai import LLMGuardrail
from crewai.tools import BaseTool

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.executor.crew.compat.agent_executor import agent_executor_class
from crewai_runner.executor.crew.llm.embedders import make_embedder
from crewai_runner.executor.crew.llm.factory import make_llm
from crewai_runner.executor.crew.tools.factory import make_tools
from crewai_runner.executor.port import ModelBinding


@dataclass(frozen=True, slots=True)
class ComponentFactory:
    """Set up once when the engine is loaded.

    `memory_root` is the folder of all memories. If `use_async_executor` is false, agents run in CrewAI's own
    executor.
    """

    memory_root: Path
    egress: EgressPolicy | None = None
    tool_egress: EgressPolicy | None = None
    use_async_executor: bool = True

    @property
    def executor_class(self) -> type[Any]:
        return agent_executor_class(is_async=self.use_async_executor)

    def make_llm(self, binding: ModelBinding, *, settings: ModelSettings, stream: bool) -> Any:
        return make_llm(binding, settings=settings, stream=stream, egress=self.egress)

    def make_tools(self, names: Sequence[str], allowed_hosts: Sequence[str] | None) -> list[BaseTool]:
        """Create tools that may contact only `allowed_hosts`, unless it is None."""
        if not names:
            return []
        egress = self.tool_egress or EgressPolicy(allow_private=False)
        if allowed_hosts is not None:
            egress = replace(egress, allowed_hosts=tuple(map(parse_host_pattern, allowed_hosts)))
        return make_tools(names, egress=egress)

    def make_embedder(self, binding: ModelBinding) -> dict[str, Any]:
        return make_embedder(binding, egress=self.egress)

    def make_guardrail(self, text: str, llm: Any) -> Any:
        """Create a guardrail that `llm` evaluates, for tasks without an agent."""
        return LLMGuardrail(description=text, llm=llm)
