"""A definition as a JSON-first CrewAI project, which the stock `crewai run` runs."""

import json
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import (
    AgentDefinition,
    ModelChoice,
    ProcessKind,
    TaskDefinition,
    WorkflowDefinition,
)
from crewai_runner.domain.workflow_yaml.crewai_project_files import pyproject, readme, slugs

FALLBACK_MODEL = "openai/gpt-4.1-mini"
"""What CrewAI itself takes when nothing is said."""

_AGENT_FIELDS = (
    "max_iter", "max_rpm", "max_execution_time", "max_retry_limit", "allow_delegation", "verbose", "cache",
    "planning", "guardrail", "guardrail_max_retries", "inject_date", "date_format", "respect_context_window",
    "use_system_prompt", "system_template", "prompt_template", "response_template", "tool_failure_policy",
)  # fmt: skip
_TASK_FIELDS = (
    "async_execution", "human_input", "markdown", "output_json", "guardrail_max_retries", "output_file",
    "tool_failure_policy",
)  # fmt: skip
_CREW_FIELDS = ("memory", "max_rpm", "cache", "tool_failure_policy")


def to_crewai_project(
    definition: WorkflowDefinition, models: Mapping[str, str], default_model: str = FALLBACK_MODEL
) -> dict[str, str]:
    """The files of the project, path to text. `models` gives CrewAI's `provider/model` for each name.

    A name without an entry is written as it stands. Keys, addresses and prices are never part of it;
    registered tools and MCP servers are named in the README, for the project has to bring its own.
    """
    return _Project(definition, models, default_model).files()


class _Project:
    def __init__(self, definition: WorkflowDefinition, models: Mapping[str, str], default_model: str) -> None:
        self._definition = definition
        self._models = models
        self._default = default_model
        self._names = slugs([agent.key for agent in definition.agents])

    def files(self) -> dict[str, str]:
        files = {"crew.jsonc": _json(self._crew())}
        for agent in self._definition.agents:
            files[f"agents/{self._names[agent.key]}.jsonc"] = _json(self._agent(agent))
        files["pyproject.toml"] = pyproject(self._definition)
        files["README.md"] = readme(self._definition)
        files[".gitignore"] = ".env\n.venv/\n__pycache__/\n"
        return files

    def _crew(self) -> dict[str, Any]:
        definition = self._definition
        crew: dict[str, Any] = {
            "name": definition.name,
            "process": definition.process.value,
            "agents": [self._names[agent.key] for agent in definition.agents if agent.key != self._manager],
            "tasks": [self._task(task) for task in definition.tasks],
            "inputs": {given.name: given.default for given in definition.inputs if given.default is not None},
            "verbose": True,
            **_set(definition, _CREW_FIELDS),
            **self._managed(),
            **_knowledge(definition.knowledge),
        }
        if definition.embedder is not None:
            crew["embedder"] = self._embedder(definition.embedder)
        return crew

    @property
    def _manager(self) -> str | None:
        hierarchical = self._definition.process is ProcessKind.HIERARCHICAL
        return self._definition.manager_agent if hierarchical else None

    def _managed(self) -> dict[str, Any]:
        if self._definition.process is not ProcessKind.HIERARCHICAL:
            return {}
        if self._manager is not None:
            return {"manager_agent": self._names[self._manager]}
        return {"manager_llm": self._llm(self._definition.manager_model)}

    def _agent(self, agent: AgentDefinition) -> dict[str, Any]:
        written: dict[str, Any] = {
            "role": agent.role,
            "goal": agent.goal,
            "backstory": agent.backstory,
            "llm": self._llm(agent.model),
            **_set(agent, _AGENT_FIELDS),
            **_knowledge(agent.knowledge),
        }
        if agent.planning:
            # As plans are made here; CrewAI's own defaults would refine them without end.
            attempts = agent.planning_max_attempts or 1
            written["planning_config"] = {"reasoning_effort": "low", "max_attempts": attempts}
        return written

    def _task(self, task: TaskDefinition) -> dict[str, Any]:
        written: dict[str, Any] = {
            "name": task.key,
            "description": task.description,
            "expected_output": task.expected_output,
            **({"agent": self._names[task.agent]} if task.agent is not None else {}),
            **({"context": task.context} if task.context is not None else {}),
            **_set(task, _TASK_FIELDS),
        }
        if task.guardrails:
            written["guardrails"] = task.guardrails
        return written

    def _llm(self, choice: ModelChoice | None) -> Any:
        if choice is None:
            return self._default
        model = self._models.get(choice.name, choice.name)
        settings = choice.settings.model_dump(by_alias=False, exclude_none=True)
        if "timeout_seconds" in settings:
            settings["timeout"] = settings.pop("timeout_seconds")
        return {"model": model, **settings} if settings else model

    def _embedder(self, name: str) -> dict[str, Any]:
        provider, _, model = self._models.get(name, name).rpartition("/")
        return {"provider": provider or "openai", "config": {"model_name": model}}


def _set(model: ApiModel, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that differ from what CrewAI would take anyway."""
    fields = type(model).model_fields
    values = {name: getattr(model, name) for name in names}
    return {name: value for name, value in values.items() if value != fields[name].default}


def _knowledge(texts: list[str]) -> dict[str, Any]:
    sources = [{"source_type": "string", "content": text} for text in texts]
    return {"knowledge_sources": sources} if sources else {}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
