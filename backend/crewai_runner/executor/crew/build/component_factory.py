"""Creates the parts of crews: models, embedders, guardrails, and what calls tools."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crewai import LLMGuardrail

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.network_access import HostRule, find_host_rule
from crewai_runner.executor.crew.compat.agent_executor import agent_executor_class
from crewai_runner.executor.crew.context.connection_observers import ConnectionObservers
from crewai_runner.executor.crew.llm.embedders import make_embedder
from crewai_runner.executor.crew.llm.factory import make_llm
from crewai_runner.executor.port import ModelBinding, RunSpec, list_secrets
from crewai_runner.executor.run_files import RunFiles, StoreFile, discard_file
from crewai_runner.executor.tool_binding import ToolKind
from crewai_runner.executor.tools.calls import RunMaterials, ToolCalls
from crewai_runner.executor.tools.gate import ToolGate
from crewai_runner.executor.tools.runner import ToolEgress, ToolRunner
from crewai_runner.executor.tools.runners import make_runners


@dataclass(frozen=True, slots=True)
class ComponentFactory:
    """Set up once when the engine is loaded.

    `memory_root` is the folder in which earlier versions kept memories. If `use_async_executor` is false,
    agents run in CrewAI's own executor. `connections` observes the clients of one run, `gate` decides about
    the calls of its tools.
    """

    memory_root: Path
    egress: EgressPolicy | None = None
    tool_egress: EgressPolicy | None = None
    use_async_executor: bool = True
    tool_runners: Mapping[ToolKind, ToolRunner] = field(default_factory=make_runners)
    connections: ConnectionObservers | None = None
    gate: ToolGate | None = None

    @property
    def executor_class(self) -> type[Any]:
        return agent_executor_class(is_async=self.use_async_executor)

    def make_llm(self, binding: ModelBinding, *, settings: ModelSettings, stream: bool) -> Any:
        return make_llm(binding, settings=settings, stream=stream, egress=self._model_egress(binding))

    def make_tool_calls(self, spec: RunSpec, store_file: StoreFile = discard_file) -> ToolCalls:
        """Create what calls the tools of a run, which contact only the hosts that it allows."""
        definition = spec.definition
        rule = find_host_rule(definition.network, definition.allowed_hosts, spec.network_limit)
        pages, connections = (
            self._tool_egress(policy or EgressPolicy(allow_private=False), rule)
            for policy in (self.tool_egress, self.egress)
        )
        materials = RunMaterials(RunFiles(spec.files, store_file))
        mask = TextMask(list_secrets(spec))
        return ToolCalls(self.tool_runners, ToolEgress(pages, connections), mask, materials, self.gate)

    def make_embedder(self, binding: ModelBinding) -> dict[str, Any]:
        return make_embedder(binding, egress=self._model_egress(binding))

    def _model_egress(self, binding: ModelBinding) -> EgressPolicy | None:
        if self.connections is None:
            return self.egress
        egress = self.egress or EgressPolicy(allow_private=True)
        return replace(egress, observer=self.connections.of_model(binding))

    def _tool_egress(self, egress: EgressPolicy, rule: HostRule) -> EgressPolicy:
        observer = None if self.connections is None else self.connections.of_tools()
        hosts = None if rule.hosts is None else tuple(map(parse_host_pattern, rule.hosts))
        return replace(egress, allowed_hosts=hosts, remedy=rule.remedy, observer=observer)

    def make_guardrail(self, text: str, llm: Any) -> Any:
        """Create a guardrail that `llm` evaluates, for tasks without an agent."""
        return LLMGuardrail(description=text, llm=llm)
