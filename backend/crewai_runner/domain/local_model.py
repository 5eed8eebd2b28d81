"""The built-in model: its names, its limits, and warnings about workflows that exceed them."""

import re
from collections.abc import Collection, Iterator

from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.workflow import AgentDefinition, ProcessKind, TaskDefinition, WorkflowDefinition

PROVIDER_NAME = "local"
MODEL_ID = "smollm2-135m"
DESCRIPTION = "Built-in demo model (135M): shows that crews run; answers are unreliable, tools are not used"
CONTEXT_WINDOW = 8192
"""Tokens of prompt and completion together."""

MAX_COHERENT_TOKENS = 512
"""Longer completions become incoherent."""

_LONG_TEXT = re.compile(
    r"(?<![\d,.])\b(?P<words>\d[\d,.]{2,20})[- ]?words?\b"
    r"|\b(?:pages?|chapters?|essay|in[- ]depth|comprehensive)\b",
    re.IGNORECASE,
)
_MAX_WORDS = 300


def list_local_model_warnings(
    definition: WorkflowDefinition,
    local_model_names: Collection[str],
    default_model: str | None = None,
) -> list[str]:
    """List the requirements of a workflow that the built-in model cannot meet, one sentence each.

    `local_model_names` are the registered names of the built-in model; `default_model` is used where the
    document names no model. The workflow can be run in spite of these warnings.
    """
    return list(dict.fromkeys(_Checks(definition, local_model_names, default_model).warnings()))


class _Checks:
    def __init__(
        self, definition: WorkflowDefinition, local: Collection[str], default_model: str | None
    ) -> None:
        self._definition = definition
        self._local = local
        self._default = default_model
        self._agents = [agent for agent in definition.agents if self._is_local(agent.model)]

    def warnings(self) -> Iterator[str]:
        yield from self._check_crew()
        for agent in self._agents:
            yield from self._check_agent(agent)
        for task in self._definition.tasks:
            if self._may_perform(task):
                yield from self._check_task(task)

    def _is_local(self, choice: ModelChoice | None) -> bool:
        return (choice.name if choice else self._default) in self._local

    def _may_perform(self, task: TaskDefinition) -> bool:
        """Return whether the built-in model may perform this task; a manager may assign it to any agent."""
        return any(task.agent in (None, agent.key) for agent in self._agents)

    def _check_crew(self) -> Iterator[str]:
        definition = self._definition
        if definition.process is ProcessKind.HIERARCHICAL and self._is_manager_local():
            yield "`hierarchical`: the built-in model never delegates; the manager does all the work itself."
        if definition.memory and (self._agents or self._is_local(None)):
            yield "`memory`: the built-in model cannot classify memories, and trying takes it minutes."

    def _is_manager_local(self) -> bool:
        definition = self._definition
        if definition.manager_agent is not None:
            return any(agent.key == definition.manager_agent for agent in self._agents)
        return self._is_local(definition.manager_model)

    def _check_agent(self, agent: AgentDefinition) -> Iterator[str]:
        subject = f"Agent `{agent.key}`"
        if agent.tools:
            yield f"{subject}: the built-in model calls no tools; {_quote(agent.tools)} will not be used."
        if agent.allow_delegation:
            yield f"{subject}: the built-in model never delegates."
        if agent.planning:
            yield f"{subject}: the built-in model cannot plan; leave `planning` off."
        if agent.guardrail:
            yield f"{subject}: the built-in model cannot check a `guardrail`; its verdicts are random."
        settings = agent.model.settings if agent.model else None
        if settings and (settings.max_tokens or 0) > MAX_COHERENT_TOKENS:
            yield f"{subject}: the built-in model becomes incoherent after {MAX_COHERENT_TOKENS} tokens."

    def _check_task(self, task: TaskDefinition) -> Iterator[str]:
        subject = f"Task `{task.key}`"
        if task.tools:
            yield f"{subject}: the built-in model calls no tools; {_quote(task.tools)} will not be used."
        if task.output_json is not None:
            yield f"{subject}: the built-in model cannot produce `output_json` reliably; the task may fail."
        if task.guardrails:
            yield f"{subject}: the built-in model cannot check `guardrails`; its verdicts are random."
        if _requests_long_text(task.expected_output) or _requests_long_text(task.description):
            yield f"{subject}: the built-in model cannot write long texts; ask it for a few sentences."


def _requests_long_text(text: str) -> bool:
    for match in _LONG_TEXT.finditer(text):
        words = match["words"]
        if words is None or int(re.sub(r"\D", "", words)) > _MAX_WORDS:
            return True
    return False


def _quote(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
