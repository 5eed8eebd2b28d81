"""Conversion of a definition to a CrewAI project of JSON files, which `crewai run` runs."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind, TaskDefinition, WorkflowDefinition

_CREWAI_REQUIREMENT = "crewai>=1.15,<2"
FALLBACK_MODEL = "openai/gpt-4.1-mini"
"""CrewAI's own default."""

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
    """Return the files of the project by path. `models` maps registered names to CrewAI's `provider/model`.

    A name without an entry is written unchanged. API keys, addresses and prices are never included;
    registered tools and MCP servers are listed in the README, because the project has to add its own.
    """
    return _ProjectWriter(definition, models, default_model).files()


class _ProjectWriter:
    def __init__(self, definition: WorkflowDefinition, models: Mapping[str, str], default_model: str) -> None:
        self._definition = definition
        self._models = models
        self._default = default_model
        self._names = _unique_slugs([agent.key for agent in definition.agents])

    def files(self) -> dict[str, str]:
        files = {"crew.jsonc": _to_json(self._build_crew())}
        for agent in self._definition.agents:
            files[f"agents/{self._names[agent.key]}.jsonc"] = _to_json(self._build_agent(agent))
        files["pyproject.toml"] = _build_pyproject(self._definition)
        files["README.md"] = _build_readme(self._definition)
        files[".gitignore"] = ".env\n.venv/\n__pycache__/\n"
        return files

    def _build_crew(self) -> dict[str, Any]:
        definition = self._definition
        crew: dict[str, Any] = {
            "name": definition.name,
            "process": definition.process.value,
            "agents": [self._names[agent.key] for agent in definition.agents if agent.key != self._manager],
            "tasks": [self._build_task(task) for task in definition.tasks],
            "inputs": {item.name: item.default for item in definition.inputs if item.default is not None},
            "verbose": True,
            **_changed_fields(definition, _CREW_FIELDS),
            **self._manager_keys(),
            **_knowledge(definition.knowledge),
        }
        if definition.embedder is not None:
            provider, _, model = self._models.get(definition.embedder, definition.embedder).rpartition("/")
            crew["embedder"] = {"provider": provider or "openai", "config": {"model_name": model}}
        return crew

    @property
    def _manager(self) -> str | None:
        hierarchical = self._definition.process is ProcessKind.HIERARCHICAL
        return self._definition.manager_agent if hierarchical else None

    def _manager_keys(self) -> dict[str, Any]:
        if self._definition.process is not ProcessKind.HIERARCHICAL:
            return {}
        if self._manager is not None:
            return {"manager_agent": self._names[self._manager]}
        return {"manager_llm": self._llm(self._definition.manager_model)}

    def _build_agent(self, agent: AgentDefinition) -> dict[str, Any]:
        written: dict[str, Any] = {
            "role": agent.role,
            "goal": agent.goal,
            "backstory": agent.backstory,
            "llm": self._llm(agent.model),
            **_changed_fields(agent, _AGENT_FIELDS),
            **_knowledge(agent.knowledge),
        }
        if agent.planning:
            # As in this product's runs: with CrewAI's defaults, plans are refined without a limit.
            attempts = agent.planning_max_attempts or 1
            written["planning_config"] = {"reasoning_effort": "low", "max_attempts": attempts}
        return written

    def _build_task(self, task: TaskDefinition) -> dict[str, Any]:
        written: dict[str, Any] = {
            "name": task.key,
            "description": task.description,
            "expected_output": task.expected_output,
            **({"agent": self._names[task.agent]} if task.agent is not None else {}),
            **({"context": task.context} if task.context is not None else {}),
            **_changed_fields(task, _TASK_FIELDS),
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


def _changed_fields(model: ApiModel, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that differ from CrewAI's defaults."""
    fields = type(model).model_fields
    values = {name: getattr(model, name) for name in names}
    return {name: value for name, value in values.items() if value != fields[name].default}


def _knowledge(texts: list[str]) -> dict[str, Any]:
    sources = [{"source_type": "string", "content": text} for text in texts]
    return {"knowledge_sources": sources} if sources else {}


def _to_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _unique_slugs(names: list[str]) -> dict[str, str]:
    """Return a unique file stem for each name, of ASCII letters, digits and `_`."""
    slugs: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = _to_slug(name)
        number, candidate = 1, stem
        while candidate in taken:
            number += 1
            candidate = f"{stem}_{number}"
        taken.add(candidate)
        slugs[name] = candidate
    return slugs


def _to_slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()[:60] or "agent"


def _build_pyproject(definition: WorkflowDefinition) -> str:
    return f"""[project]
name = "{_to_slug(definition.name).replace("_", "-") or "crew"}"
version = "0.1.0"
description = "A CrewAI crew"
requires-python = ">=3.10,<3.14"
dependencies = ["{_CREWAI_REQUIREMENT}"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
only-include = ["agents", "crew.jsonc"]

[tool.crewai]
type = "crew"
definition = "crew.jsonc"
"""


def _build_readme(definition: WorkflowDefinition) -> str:
    """Build the README: how to run the project, and what it does not contain."""
    unsupported = _list_unsupported(definition)
    omitted = (
        ["", "## Not part of this project", "", *(f"- {line}" for line in unsupported)] if unsupported else []
    )
    lines = [
        f"# {definition.name}",
        "",
        *([definition.description, ""] if definition.description else []),
        "Put the key of your model provider into `.env` (such as `OPENAI_API_KEY=...`), then:",
        "",
        "```bash",
        "crewai run",
        "```",
        *omitted,
        "",
    ]
    return "\n".join(lines)


def _list_unsupported(definition: WorkflowDefinition) -> list[str]:
    owners = [(f"agent `{agent.key}`", agent.tools, agent.mcps) for agent in definition.agents]
    owners += [(f"task `{task.key}`", task.tools, []) for task in definition.tasks]
    lines = [f"Tools of {owner}: {', '.join(tools)}." for owner, tools, _ in owners if tools]
    lines += [f"MCP servers of {owner}: {', '.join(mcps)}." for owner, _, mcps in owners if mcps]
    if definition.budget is not None:
        lines.append("The budget: nothing limits what a run spends.")
    if definition.network is not None:
        lines.append(f"The network access of tools: {definition.network}.")
    if definition.allowed_hosts is not None:
        lines.append(f"The hosts that tools may contact: {', '.join(definition.allowed_hosts) or 'none'}.")
    if definition.timeout_seconds is not None:
        lines.append(f"The time limit of {definition.timeout_seconds} seconds.")
    return lines
