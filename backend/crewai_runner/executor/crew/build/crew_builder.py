"""Builds a CrewAI crew from a workflow definition and its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crewai import Agent, Crew, PlanningConfig, Process

from crewai_runner.domain.model_settings import ModelChoice, ModelSettings
from crewai_runner.domain.schema_expansion import find_schema_excess
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind, TaskDefinition
from crewai_runner.executor.crew.build.component_factory import ComponentFactory
from crewai_runner.executor.crew.build.placeholders import fill_placeholders
from crewai_runner.executor.crew.build.task import InstrumentedTask
from crewai_runner.executor.crew.compat.crew_internals import (
    create_manager,
    create_output_model,
)
from crewai_runner.executor.crew.context.agent_keys import MANAGER, AgentKeyMap
from crewai_runner.executor.crew.context.exceptions import UnusableModel, UnusableSchema
from crewai_runner.executor.crew.llm.model_rate_limiter import ModelRateLimiter
from crewai_runner.executor.crew.llm.supervised import supervise_llm
from crewai_runner.executor.crew.tools.factory import make_tools
from crewai_runner.executor.port import RunSpec
from crewai_runner.executor.run_files import StoreFile, discard_file
from crewai_runner.executor.tools.runner import SearchKnowledge

_AGENT_FIELDS = (
    "max_iter",
    "allow_delegation",
    "guardrail",
    "guardrail_max_retries",
    "inject_date",
    "date_format",
    "use_system_prompt",
    "system_template",
    "prompt_template",
    "response_template",
)
_TASK_FIELDS = ("async_execution", "markdown", "guardrail_max_retries")
DEFAULT_AGENT_RETRIES = 0
_Value = TypeVar("_Value")


@dataclass
class BuiltCrew:
    """A crew that is ready to start; `llms` must be closed after the run."""

    crew: Crew
    tasks: list[InstrumentedTask]
    agents: dict[str, Agent]
    llms: list[Any] = field(default_factory=list)


class CrewBuilder:
    """Builds the crew of one attempt. Raises UnusableModel, and what CrewAI raises for invalid settings."""

    def __init__(
        self,
        spec: RunSpec,
        agent_keys: AgentKeyMap,
        factory: ComponentFactory,
        store_file: StoreFile = discard_file,
    ) -> None:
        self._spec = spec
        self._definition = spec.definition
        self._agent_keys = agent_keys
        self._factory = factory
        self._llms: list[Any] = []
        self._tool_calls = factory.make_tool_calls(spec, store_file)
        # CrewAI's own max_rpm blocks a thread for up to a minute.
        self._crew_limiter = ModelRateLimiter(self._definition.max_rpm) if self._definition.max_rpm else None

    def set_knowledge_search(self, search: SearchKnowledge) -> None:
        """Let the tool `search_knowledge` find something."""
        if self._tool_calls.materials is not None:
            self._tool_calls.materials.search_knowledge = search

    def build(self) -> BuiltCrew:
        """Create the crew with all its agents and tasks. Call once."""
        agents = {agent.key: self._make_agent(agent) for agent in self._definition.agents}
        tasks = self._make_tasks(agents)
        crew = Crew(**self._crew_settings(agents, tasks))
        if self._definition.process is ProcessKind.HIERARCHICAL:
            self._set_up_manager(crew)
        return BuiltCrew(crew=crew, tasks=tasks, agents=agents, llms=self._llms)

    def make_llm(self, choice: ModelChoice | None, limiter: ModelRateLimiter | None = None) -> Any:
        """Create an LLM for an agent, manager or memory; None chooses the default model."""
        name = choice.name if choice else self._spec.default_model
        binding = self._spec.models.get(name)
        if binding is None:
            raise UnusableModel(
                f"The model '{name}' is not registered.",
                code="model-unknown",
                hint="Register a model with this name, or choose another one in the workflow.",
            )
        settings = choice.settings if choice else ModelSettings()
        llm = self._factory.make_llm(binding, settings=settings, stream=self._spec.stream_tokens)
        supervise_llm(llm, binding, limiter or self._crew_limiter)
        self._llms.append(llm)
        return llm

    def _make_agent(self, definition: AgentDefinition) -> Agent:
        settings = _explicit_fields(definition, _AGENT_FIELDS)
        settings |= {name: self._fill(getattr(definition, name)) for name in ("role", "goal", "backstory")}
        agent = Agent(
            **settings,
            **self._optional_agent_settings(definition),
            llm=self.make_llm(
                definition.model, ModelRateLimiter(definition.max_rpm) if definition.max_rpm else None
            ),
            tools=self._make_tools(definition.tools),
            max_execution_time=definition.max_execution_time,
            max_retry_limit=_value_or(definition.max_retry_limit, DEFAULT_AGENT_RETRIES),
            respect_context_window=_value_or(definition.respect_context_window, True),
            verbose=False,
            executor_class=self._factory.executor_class,
        )
        self._agent_keys.add(agent, definition.key)
        return agent

    def _optional_agent_settings(self, definition: AgentDefinition) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        if not definition.cache:
            settings["cache"] = False  # True would enable the cache even if the crew disables it
        if definition.planning:
            attempts = _value_or(definition.planning_max_attempts, 1)
            settings["planning_config"] = PlanningConfig(reasoning_effort="low", max_attempts=attempts)
        policy = definition.tool_failure_policy or self._definition.tool_failure_policy
        if policy is not None:
            settings["tool_failure_policy"] = str(policy)
        return settings

    def _make_tasks(self, agents: Mapping[str, Agent]) -> list[InstrumentedTask]:
        tasks: dict[str, InstrumentedTask] = {}
        busy: set[str] = set()
        for definition in self._definition.tasks:
            agent = self._choose_agent(definition, agents, busy)
            tasks[definition.key] = self._make_task(definition, agent, tasks)
        return list(tasks.values())

    def _choose_agent(
        self, task: TaskDefinition, agents: Mapping[str, Agent], busy: set[str]
    ) -> Agent | None:
        """Return the task's agent, or a copy of it while it works on an earlier parallel task.

        `busy` holds the agents of the current group of parallel tasks and is updated.
        """
        if not task.async_execution:
            busy.clear()
        if task.agent is None:
            return None
        if task.async_execution and task.agent in busy:
            return self._make_agent(self._definition.agent(task.agent))
        if task.async_execution:
            busy.add(task.agent)
        return agents[task.agent]

    def _make_task(
        self, definition: TaskDefinition, agent: Agent | None, earlier: Mapping[str, InstrumentedTask]
    ) -> InstrumentedTask:
        settings = _explicit_fields(definition, _TASK_FIELDS)
        if definition.context is not None:
            settings["context"] = [earlier[key] for key in definition.context]
        if definition.output_json is not None:
            settings["output_json"] = _make_output_model(definition)
        if definition.tool_failure_policy is not None:
            settings["tool_failure_policy"] = str(definition.tool_failure_policy)
        task = InstrumentedTask(
            **settings,
            name=definition.key,
            description=self._fill(definition.description),
            expected_output=self._fill(definition.expected_output),
            agent=agent,
            tools=self._make_tools(definition.tools),
            guardrails=self._make_guardrails(definition, agent),
        )
        task.configure(definition.key, needs_review=definition.human_input)
        result = self._spec.finished_tasks.get(definition.key)
        if result is not None:
            task.restore(result)
        return task

    def _make_guardrails(self, definition: TaskDefinition, agent: Agent | None) -> list[Any] | None:
        if not definition.guardrails:
            return None
        if agent is not None:
            return list(definition.guardrails)  # CrewAI evaluates the texts with the agent's LLM
        llm = self.make_llm(self._definition.manager_model)
        return [self._factory.make_guardrail(text, llm) for text in definition.guardrails]

    def _crew_settings(
        self, agents: Mapping[str, Agent], tasks: Sequence[InstrumentedTask]
    ) -> dict[str, Any]:
        definition = self._definition
        members = [agent for key, agent in agents.items() if key != definition.manager_agent]
        known = {id(agent) for agent in agents.values()}
        copies = [task.agent for task in tasks if task.agent is not None and id(task.agent) not in known]
        settings: dict[str, Any] = {
            "name": definition.name,
            "process": Process(str(definition.process)),
            "agents": members + copies,
            "tasks": list(tasks),
            "cache": definition.cache,
            "verbose": False,
            "tracing": False,
        }
        if definition.process is ProcessKind.HIERARCHICAL:
            if definition.manager_agent is not None:
                settings["manager_agent"] = agents[definition.manager_agent]
            else:
                settings["manager_llm"] = self.make_llm(definition.manager_model)
        return settings

    def _set_up_manager(self, crew: Crew) -> None:
        manager = create_manager(crew)
        if self._definition.manager_agent is None:
            manager.executor_class = self._factory.executor_class
            manager.max_retry_limit = DEFAULT_AGENT_RETRIES
            self._agent_keys.add(manager, MANAGER)

    def _make_tools(self, names: Sequence[str]) -> list[Any]:
        return make_tools(names, self._spec.tools, self._tool_calls)

    def _fill(self, text: str) -> str:
        return fill_placeholders(text, self._spec.inputs)


def _make_output_model(task: TaskDefinition) -> Any:
    """Create the class of a task's output. Raises UnusableSchema: older versions stored larger schemas."""
    schema = task.output_json or {}
    if (excess := find_schema_excess(schema)) is not None:
        raise UnusableSchema(task.key, excess)
    return create_output_model(schema)


def _explicit_fields(definition: AgentDefinition | TaskDefinition, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields that are set; CrewAI's defaults apply to the others."""
    values = {name: getattr(definition, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _value_or(value: _Value | None, default: _Value) -> _Value:
    return default if value is None else value
