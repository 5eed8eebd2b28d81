"""The built-in model: its names, and what a workflow asks of it that it cannot do."""

import re
from collections.abc import Collection, Iterator

from crewai_runner.domain.workflow import (
    AgentDefinition,
    ModelChoice,
    ProcessKind,
    TaskDefinition,
    WorkflowDefinition,
)

PROVIDER_NAME = "local"
MODEL_ID = "smollm2-135m"
LABEL = "Built-in demo model (135M): shows that crews run; answers are unreliable, tools are not used"
CONTEXT_WINDOW = 8192
"""Tokens of prompt and answer together."""

LONGEST_ANSWER = 512
"""Tokens; longer ones lose their thread."""

_LONG_TEXT = re.compile(
    r"\b(?P<words>\d[\d,.]{2,})[- ]?words?\b|\b(?:pages?|chapters?|essay|in[- ]depth|comprehensive)\b",
    re.IGNORECASE,
)
_MANY_WORDS = 300


def list_local_model_warnings(
    definition: WorkflowDefinition,
    local_model_names: Collection[str],
    default_model: str | None = None,
) -> list[str]:
    """What this workflow asks of the built-in model that it cannot do, a sentence each.

    `local_model_names` are the registered models that the built-in one serves; `default_model` is the one
    used where the document names none. Empty when the workflow does not use the built-in model, or uses it
    within its powers. Workflows run all the same: these are warnings.
    """
    rules = _Rules(definition, local_model_names, default_model)
    return list(dict.fromkeys(rules.warnings()))


class _Rules:
    def __init__(
        self, definition: WorkflowDefinition, local: Collection[str], default_model: str | None
    ) -> None:
        self._definition = definition
        self._local = local
        self._default = default_model
        self._agents = [agent for agent in definition.agents if self._is_local(agent.model)]

    def warnings(self) -> Iterator[str]:
        yield from self._about_the_crew()
        for agent in self._agents:
            yield from self._about_agent(agent)
        for task in self._definition.tasks:
            if self._does(task):
                yield from self._about_task(task)

    def _is_local(self, choice: ModelChoice | None) -> bool:
        return (choice.name if choice else self._default) in self._local

    def _does(self, task: TaskDefinition) -> bool:
        """Whether an agent on the built-in model does this task; any may, where a manager decides."""
        return any(task.agent in (None, agent.key) for agent in self._agents)

    def _about_the_crew(self) -> Iterator[str]:
        definition = self._definition
        if definition.process is ProcessKind.HIERARCHICAL and self._manages():
            yield "`hierarchical`: the built-in model never delegates; the manager does the work alone."
        if definition.memory and (self._agents or self._is_local(None)):
            yield "`memory`: the built-in model cannot sort memories, and trying takes it minutes."

    def _manages(self) -> bool:
        definition = self._definition
        if definition.manager_agent is not None:
            return any(agent.key == definition.manager_agent for agent in self._agents)
        return self._is_local(definition.manager_model)

    def _about_agent(self, agent: AgentDefinition) -> Iterator[str]:
        where = f"Agent `{agent.key}`"
        if agent.tools:
            yield f"{where}: the built-in model calls no tools; {_listed(agent.tools)} will not be used."
        if agent.allow_delegation:
            yield f"{where}: the built-in model never delegates."
        if agent.planning:
            yield f"{where}: the built-in model cannot plan; leave `planning` off."
        if agent.guardrail:
            yield f"{where}: the built-in model cannot judge a `guardrail`; its verdicts are chance."
        settings = agent.model.settings if agent.model else None
        if settings and (settings.max_tokens or 0) > LONGEST_ANSWER:
            yield f"{where}: answers of the built-in model lose their thread after {LONGEST_ANSWER} tokens."

    def _about_task(self, task: TaskDefinition) -> Iterator[str]:
        where = f"Task `{task.key}`"
        if task.tools:
            yield f"{where}: the built-in model calls no tools; {_listed(task.tools)} will not be used."
        if task.output_json is not None:
            yield f"{where}: the built-in model cannot fill `output_json` sensibly; the task may fail."
        if task.guardrails:
            yield f"{where}: the built-in model cannot judge `guardrails`; its verdicts are chance."
        if _asks_for_much(task.expected_output) or _asks_for_much(task.description):
            yield f"{where}: the built-in model cannot write long texts; ask it for a few sentences."


def _asks_for_much(text: str) -> bool:
    for match in _LONG_TEXT.finditer(text):
        words = match["words"]
        if words is None or int(re.sub(r"\D", "", words)) > _MANY_WORDS:
            return True
    return False


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
