"""A workflow: a crew of agents and the tasks they do, as plain data.

Names follow CrewAI. Nothing here can name Python to import, a file to read or a command to start.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.budget import Budget


class ProcessKind(StrEnum):
    SEQUENTIAL = "sequential"
    HIERARCHICAL = "hierarchical"


class ToolFailurePolicy(StrEnum):
    IGNORE = "ignore"
    WARN = "warn"
    RAISE = "raise"


class OnWorkerLoss(StrEnum):
    """What becomes of a run whose worker died."""

    RESUME = "resume"
    RESTART = "restart"
    FAIL = "fail"


class InputType(StrEnum):
    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


class ModelSettings(ApiModel):
    """How a model is asked; what is not set is left to the provider."""

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, gt=0, le=10_000_000)
    timeout_seconds: float | None = Field(None, gt=0, le=3600)
    max_retries: int | None = Field(None, ge=0, le=10)
    seed: int | None = None
    stop: list[str] | None = Field(None, max_length=16)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    reasoning_effort: str | None = Field(None, pattern=r"^[a-z]{1,16}$")
    extra_body: dict[str, Any] | None = Field(
        None, description="Further members of the request body; OpenAI-compatible providers only."
    )

    def over(self, base: "ModelSettings") -> "ModelSettings":
        """These settings laid over others."""
        return base.model_copy(update=self.model_dump(exclude_none=True, by_alias=False))


class ModelChoice(ApiModel):
    """A registered model by name, with settings for this place only."""

    name: str
    settings: ModelSettings = Field(default_factory=ModelSettings)


class InputDefinition(ApiModel):
    """One typed input of a workflow; fills `{name}` in texts."""

    name: str
    type: InputType = InputType.STRING
    description: str | None = None
    default: Any | None = None
    required: bool = True
    enum: list[Any] | None = None


class AgentDefinition(ApiModel):
    key: str
    role: str
    goal: str
    backstory: str
    model: ModelChoice | None = Field(None, description="`llm:` in YAML; None = the workspace's default.")
    tools: list[str] = Field(default_factory=list)
    mcps: list[str] = Field(default_factory=list, description="Names of registered MCP servers.")
    max_iter: int | None = None
    max_rpm: int | None = None
    max_execution_time: int | None = Field(None, description="Seconds.")
    max_retry_limit: int | None = None
    allow_delegation: bool = False
    verbose: bool = False
    cache: bool = True
    planning: bool = False
    planning_max_attempts: int | None = None
    guardrail: str | None = None
    guardrail_max_retries: int | None = None
    inject_date: bool = False
    date_format: str | None = None
    respect_context_window: bool | None = None
    use_system_prompt: bool | None = None
    system_template: str | None = None
    prompt_template: str | None = None
    response_template: str | None = None
    knowledge: list[str] = Field(default_factory=list, description="Texts, not file names.")
    tool_failure_policy: ToolFailurePolicy | None = None


class TaskDefinition(ApiModel):
    key: str
    description: str
    expected_output: str
    agent: str | None = Field(None, description="Key of an agent; None only under the hierarchical process.")
    context: list[str] | None = Field(None, description="Keys of earlier tasks; None = CrewAI's default.")
    tools: list[str] = Field(default_factory=list)
    async_execution: bool = False
    human_input: bool = False
    markdown: bool = False
    output_json: dict[str, Any] | None = Field(None, description="A JSON Schema of the output.")
    guardrails: list[str] = Field(default_factory=list, description="Texts checked by the agent's model.")
    guardrail_max_retries: int | None = None
    output_file: str | None = Field(None, description="Name of an artifact of the run; a plain file name.")
    tool_failure_policy: ToolFailurePolicy | None = None


class WorkflowDefinition(ApiModel):
    """One crew, whole: what a run is pinned to."""

    name: str
    description: str | None = None
    process: ProcessKind = ProcessKind.SEQUENTIAL
    agents: list[AgentDefinition]
    tasks: list[TaskDefinition]
    manager_model: ModelChoice | None = Field(None, description="`manager_llm:` in YAML.")
    manager_agent: str | None = None
    memory: bool = False
    embedder: str | None = Field(None, description="Name of a registered model of type `embedder`.")
    knowledge: list[str] = Field(default_factory=list, description="Texts, not file names.")
    max_rpm: int | None = None
    cache: bool = False
    tool_failure_policy: ToolFailurePolicy | None = None
    inputs: list[InputDefinition] = Field(default_factory=list)
    budget: Budget | None = None
    timeout_seconds: int | None = None
    on_worker_loss: OnWorkerLoss = OnWorkerLoss.RESUME

    def agent(self, key: str) -> AgentDefinition:
        return next(agent for agent in self.agents if agent.key == key)

    def task(self, key: str) -> TaskDefinition:
        return next(task for task in self.tasks if task.key == key)

    def model_choices(self) -> list[ModelChoice]:
        """Every model the document names, in order of appearance."""
        choices = [agent.model for agent in self.agents] + [self.manager_model]
        return [choice for choice in choices if choice is not None]
