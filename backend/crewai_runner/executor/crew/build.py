"""From a workflow definition and its models to a crew of the engine, made anew for every attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crewai import Agent, Crew, Process
from crewai.agent.planning_config import PlanningConfig
from crewai.utilities.pydantic_schema_utils import create_model_from_schema

from crewai_runner.domain.workflow import AgentDefinition, ModelChoice, ProcessKind, TaskDefinition
from crewai_runner.executor.crew.calls import rein
from crewai_runner.executor.crew.cast import MANAGER, Cast
from crewai_runner.executor.crew.limits import Pace
from crewai_runner.executor.crew.model_facts import UnusableModel
from crewai_runner.executor.crew.tasks import ToldTask
from crewai_runner.executor.crew.texts import fill
from crewai_runner.executor.crew.workshop import Workshop
from crewai_runner.executor.port import ModelBinding, RunSpec

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
DEFAULT_RETRIES_OF_AN_AGENT = 0


class NoStoredOutputs:
    """Stands in for the engine's one table of task outputs, which every run of the machine would wipe."""

    def update(self, *_args: object, **_kwargs: object) -> None: ...

    def add(self, *_args: object, **_kwargs: object) -> None: ...

    def reset(self) -> None: ...

    def load(self) -> list[Any]:
        return []


@dataclass
class Built:
    """A crew ready to start, with the objects to close when it is over."""

    crew: Any
    tasks: list[ToldTask]
    agents: dict[str, Any]
    llms: list[Any] = field(default_factory=list)


class Builder:
    """Builds one crew. Raises UnusableModel, and what the engine and the model makers refuse."""

    def __init__(self, spec: RunSpec, cast: Cast, workshop: Workshop) -> None:
        self._spec = spec
        self._definition = spec.definition
        self._cast = cast
        self._workshop = workshop
        self._llms: list[Any] = []
        self._crew_pace = Pace(self._definition.max_rpm) if self._definition.max_rpm else None

    def build(self) -> Built:
        agents = {agent.key: self._agent(agent) for agent in self._definition.agents}
        tasks = self._tasks(agents)
        crew = Crew(**self._crew_settings(agents, tasks))
        crew._task_output_handler = NoStoredOutputs()
        self._make_manager(crew)
        return Built(crew=crew, tasks=tasks, agents=agents, llms=self._llms)

    def llm(self, choice: ModelChoice | None, pace: Pace | None = None) -> Any:
        """A model object of its own for one user of it."""
        binding = self._binding(choice)
        settings = choice.settings if choice else type(binding.settings)()
        llm = self._workshop.make_llm(binding, settings=settings, stream=self._spec.stream_tokens)
        self._llms.append(rein(llm, binding, pace or self._crew_pace))
        return llm

    def _binding(self, choice: ModelChoice | None) -> ModelBinding:
        name = choice.name if choice else self._spec.default_model
        binding = self._spec.models.get(name)
        if binding is None:
            raise UnusableModel(
                f"The model '{name}' is not registered.",
                code="model-unknown",
                hint="Register a model of that name, or choose another one in the workflow.",
            )
        return binding

    def _agent(self, agent: AgentDefinition) -> Any:
        settings = _given(agent, _AGENT_FIELDS)
        settings |= {name: self._filled(getattr(agent, name)) for name in ("role", "goal", "backstory")}
        made = Agent(
            **settings,
            **self._optional(agent),
            llm=self.llm(agent.model, Pace(agent.max_rpm) if agent.max_rpm else None),
            tools=self._workshop.make_tools(agent.tools),
            max_execution_time=agent.max_execution_time,
            max_retry_limit=_or(agent.max_retry_limit, DEFAULT_RETRIES_OF_AN_AGENT),
            respect_context_window=_or(agent.respect_context_window, True),
            verbose=False,
            executor_class=self._workshop.executor_class,
        )
        self._cast.add(made, agent.key)
        return made

    def _optional(self, agent: AgentDefinition) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        if not agent.cache:
            settings["cache"] = False  # True would be an opt-in beyond the crew's
        if agent.planning:
            attempts = _or(agent.planning_max_attempts, 1)
            settings["planning_config"] = PlanningConfig(reasoning_effort="low", max_attempts=attempts)
        policy = agent.tool_failure_policy or self._definition.tool_failure_policy
        if policy is not None:
            settings["tool_failure_policy"] = str(policy)
        return settings

    def _tasks(self, agents: Mapping[str, Any]) -> list[ToldTask]:
        made: dict[str, ToldTask] = {}
        busy: set[str] = set()
        for task in self._definition.tasks:
            agent = self._free_agent(task, agents, busy)
            made[task.key] = self._task(task, agent, made)
        return list(made.values())

    def _free_agent(self, task: TaskDefinition, agents: Mapping[str, Any], busy: set[str]) -> Any:
        """The task's agent, or its twin when it is at work on an earlier task of the same moment."""
        if not task.async_execution:
            busy.clear()
        if task.agent is None:
            return None
        if task.async_execution and task.agent in busy:
            return self._agent(self._definition.agent(task.agent))
        if task.async_execution:
            busy.add(task.agent)
        return agents[task.agent]

    def _task(self, task: TaskDefinition, agent: Any, earlier: Mapping[str, ToldTask]) -> ToldTask:
        settings = _given(task, _TASK_FIELDS)
        if task.context is not None:
            settings["context"] = [earlier[key] for key in task.context]
        if task.output_json is not None:
            settings["output_json"] = create_model_from_schema({"title": "Output", **task.output_json})
        if task.tool_failure_policy is not None:
            settings["tool_failure_policy"] = str(task.tool_failure_policy)
        made = ToldTask(
            **settings,
            name=task.key,
            description=self._filled(task.description),
            expected_output=self._filled(task.expected_output),
            agent=agent,
            tools=self._workshop.make_tools(task.tools),
            guardrails=self._guardrails(task, agent),
        )
        made._key, made._review = task.key, task.human_input
        if (result := self._spec.finished_tasks.get(task.key)) is not None:
            made.recall(result)
        return made

    def _guardrails(self, task: TaskDefinition, agent: Any) -> Sequence[Any] | None:
        if not task.guardrails:
            return None
        if agent is not None:
            return list(task.guardrails)
        judge = self.llm(self._definition.manager_model)
        return [self._workshop.text_guardrail(text, judge) for text in task.guardrails]

    def _crew_settings(self, agents: Mapping[str, Any], tasks: Sequence[ToldTask]) -> dict[str, Any]:
        definition = self._definition
        members = [agent for key, agent in agents.items() if key != definition.manager_agent]
        own = {id(agent) for agent in agents.values()}
        twins = [task.agent for task in tasks if task.agent is not None and id(task.agent) not in own]
        settings: dict[str, Any] = {
            "name": definition.name,
            "process": Process(str(definition.process)),
            "agents": members + twins,
            "tasks": list(tasks),
            "cache": definition.cache,
            "verbose": False,
            "tracing": False,
        }
        if definition.process is ProcessKind.HIERARCHICAL:
            settings |= self._manager(agents)
        return settings

    def _manager(self, agents: Mapping[str, Any]) -> dict[str, Any]:
        key = self._definition.manager_agent
        if key is not None:
            return {"manager_agent": agents[key]}
        return {"manager_llm": self.llm(self._definition.manager_model)}

    def _make_manager(self, crew: Any) -> None:
        if self._definition.process is not ProcessKind.HIERARCHICAL:
            return
        crew._create_manager_agent()
        manager = crew.manager_agent
        if self._definition.manager_agent is None:
            manager.executor_class = self._workshop.executor_class
            manager.max_retry_limit = DEFAULT_RETRIES_OF_AN_AGENT
            self._cast.add(manager, MANAGER)

    def _filled(self, text: str) -> str:
        return fill(text, self._spec.inputs)


def _given(definition: Any, names: Sequence[str]) -> dict[str, Any]:
    """The named settings that are set; what is not is left to the engine."""
    values = {name: getattr(definition, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
