"""A workflow: a crew of agents and their tasks, as plain data. Names follow CrewAI.

These models are the only description of a workflow: the parser of documents, the JSON Schema for editors and
the HTTP API take all types and texts from here. No value can name Python to import or a file to read.
"""

from typing import Annotated, Any

from pydantic import Field
from pydantic.config import JsonDict

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.field_types import (
    Approver,
    DocumentKey,
    HostPatternText,
    InputValue,
    KnowledgeText,
    Line,
    McpServerName,
    ModelName,
    Name,
    OutputPath,
    Prose,
    ToolName,
)
from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.domain.tool_policy import ToolLimit, ToolPolicy
from crewai_runner.domain.workflow_choices import InputType, OnWorkerLoss, ProcessKind, ToolFailurePolicy

__all__ = ["InputType", "OnWorkerLoss", "ProcessKind", "ToolFailurePolicy"]
FORM: JsonDict = {"x-form": True}
"""Marks a key that the form of the web editor has a control for."""


class InputDefinition(ApiModel):
    """One typed input of a workflow; fills `{name}` in texts."""

    name: str
    type: InputType = Field(InputType.STRING, description="Type of the value; `any` is any JSON value.")
    description: Prose | None = Field(None, description="What to enter, shown in the form.")
    default: InputValue | None = Field(None, description="Used when a run gives no value.")
    required: bool = Field(
        True, description="Whether a run needs a value; true by default unless there is a default value."
    )
    enum: list[InputValue] | None = Field(None, max_length=100, description="The values to choose from.")


_ToolNames = Annotated[list[ToolName], DocumentKey(unique=True)]
_ToolPolicies = dict[ToolName, ToolPolicy]
_ServerNames = Annotated[list[McpServerName], DocumentKey(unique=True)]
_TOOLS: JsonDict = {"x-form": True, "x-reference": "tool"}
_HostPatterns = Annotated[list[HostPatternText], DocumentKey(unique=True)]
_KnowledgeTexts = Annotated[list[KnowledgeText], DocumentKey(also=("knowledge_sources",))]
_HOSTS_DESCRIPTION = "The only hosts tools may contact, such as `*.example.com`; every public one if omitted."
_NETWORK_DESCRIPTION = "What tools may contact: `any` host, only `allowed_hosts` (`listed`), or `none`."
_POLICY_DESCRIPTION = (
    "What happens when a tool fails: `ignore` continues, `warn` tells the agent, `raise` fails the task."
)


class AgentDefinition(ApiModel):
    key: str
    role: Line = Field(
        description="What the agent is, such as `Senior {topic} researcher`.", json_schema_extra=FORM
    )
    goal: Prose = Field(description="What the agent should achieve.", json_schema_extra=FORM)
    backstory: Prose = Field(description="Who the agent is and how it works.", json_schema_extra=FORM)
    model: Annotated[ModelChoice | None, DocumentKey("llm", also=("model",), camel="model")] = Field(
        None,
        description="A registered model by name; the default model if omitted.",
        json_schema_extra={"x-form": True, "x-reference": "model"},
    )
    tools: _ToolNames = Field(
        default_factory=list,
        max_length=50,
        description="Registered tools the agent may use.",
        json_schema_extra=_TOOLS,
    )
    mcps: _ServerNames = Field(
        default_factory=list,
        max_length=20,
        title="MCP servers",
        description="Registered MCP servers whose tools the agent may use.",
        json_schema_extra={"x-reference": "mcp-server"},
    )
    max_iter: int | None = Field(
        None,
        ge=1,
        le=1000,
        title="Max iterations",
        description="Maximum steps per task; 25 by default.",
        json_schema_extra=FORM,
    )
    max_rpm: int | None = Field(
        None,
        ge=1,
        le=100_000,
        title="Max requests per minute",
        description="Maximum model calls per minute.",
    )
    max_execution_time: int | None = Field(
        None, ge=1, le=86_400, description="Maximum seconds per task.", json_schema_extra=FORM
    )
    max_retry_limit: int | None = Field(
        None, ge=0, le=20, description="How often a failed step is retried; 2 by default."
    )
    allow_delegation: bool = Field(
        False,
        description="Lets the agent delegate work to other agents and ask them questions.",
        json_schema_extra=FORM,
    )
    verbose: bool = Field(
        False, description="Accepted for compatibility with CrewAI; a run always records everything."
    )
    cache: bool = Field(True, description="Whether tool results may come from the crew's cache.")
    planning: bool = Field(False, description="Makes a plan before starting a task.", json_schema_extra=FORM)
    planning_max_attempts: int | None = Field(
        None, ge=1, le=20, description="How often the plan may be refined."
    )
    guardrail: Prose | None = Field(
        None,
        description="A rule in plain language that the agent's answers are checked against.",
        json_schema_extra=FORM,
    )
    guardrail_max_retries: int | None = Field(
        None,
        ge=0,
        le=20,
        description="How often an answer that breaks the rule is rewritten; 3 by default.",
    )
    inject_date: bool = Field(
        False, description="Adds today's date to the agent's tasks.", json_schema_extra=FORM
    )
    date_format: Annotated[Line, Field(max_length=50)] | None = Field(
        None, description="Format of that date, such as `%Y-%m-%d`."
    )
    respect_context_window: bool | None = Field(
        None, description="Shortens a conversation that exceeds the context window."
    )
    use_system_prompt: bool | None = Field(
        None, description="Sends role, goal and backstory as a system message."
    )
    system_template: Prose | None = Field(None, description="Replaces CrewAI's system prompt.")
    prompt_template: Prose | None = Field(None, description="Replaces CrewAI's prompt.")
    response_template: Prose | None = Field(None, description="Replaces CrewAI's response format.")
    knowledge: _KnowledgeTexts = Field(
        default_factory=list,
        max_length=50,
        description="Texts the agent may search; needs an embedder.",
    )
    tool_failure_policy: ToolFailurePolicy | None = Field(None, description=_POLICY_DESCRIPTION)
    tool_policy: _ToolPolicies = Field(
        default_factory=dict,
        max_length=50,
        description="Instead of the workflow's `tool_policy`, for the calls of this agent.",
    )


class TaskDefinition(ApiModel):
    key: str
    description: Prose = Field(
        description="What to do. `{name}` is replaced by the input of that name.", json_schema_extra=FORM
    )
    expected_output: Prose = Field(description="What the result should look like.", json_schema_extra=FORM)
    agent: Name | None = Field(
        None,
        description="The agent that performs the task; optional in a hierarchical crew.",
        json_schema_extra={"x-form": True, "x-reference": "agent"},
    )
    context: Annotated[list[Name] | None, DocumentKey(unique=True)] = Field(
        None,
        max_length=200,
        description="Earlier tasks whose output this task uses.",
        json_schema_extra={"x-form": True, "x-reference": "task"},
    )
    tools: _ToolNames = Field(
        default_factory=list,
        max_length=50,
        description="Registered tools for this task, instead of the agent's.",
        json_schema_extra=_TOOLS,
    )
    async_execution: bool = Field(
        False, description="Lets the next task start before this one has finished.", json_schema_extra=FORM
    )
    human_input: bool = Field(
        False, description="Asks a person to review the output before it is accepted.", json_schema_extra=FORM
    )
    approver: Approver | None = Field(
        None,
        description="Who reviews the output: `operator`, `editor`, `owner` or someone's e-mail address.",
        json_schema_extra=FORM,
    )
    markdown: bool = Field(False, description="Formats the output as Markdown.", json_schema_extra=FORM)
    output_json: Annotated[dict[str, Any] | None, DocumentKey(also=("output_pydantic", "response_model"))] = (
        Field(None, title="Output JSON", description="A JSON Schema that the output must match.")
    )
    guardrails: Annotated[list[Prose], DocumentKey(allow_single=True)] = Field(
        default_factory=list, description="Several rules that the output is checked against."
    )
    guardrail_max_retries: int | None = Field(
        None, ge=0, le=20, description="How often an output that breaks a rule is rewritten; 3 by default."
    )
    output_file: OutputPath | None = Field(
        None,
        description="Saves the output as a file of the run, such as `out/report.md`.",
        json_schema_extra=FORM,
    )
    tool_failure_policy: ToolFailurePolicy | None = Field(None, description=_POLICY_DESCRIPTION)


class WorkflowDefinition(ApiModel):
    """One crew with everything a run needs; a run keeps the definition it was started with."""

    name: Name = Field(description="Name of the workflow.")
    description: Prose | None = Field(None, description="What the workflow is for.")
    agents: list[AgentDefinition] = Field(description="The agents of the crew, at least one.")
    tasks: list[TaskDefinition] = Field(description="The tasks in the order they run, at least one.")
    inputs: list[InputDefinition] = Field(
        default_factory=list, description="Values a run asks for; they replace `{name}` in texts."
    )
    process: ProcessKind = Field(
        ProcessKind.SEQUENTIAL,
        description="`sequential`: task by task. `hierarchical`: a manager assigns the tasks.",
    )
    manager_model: Annotated[
        ModelChoice | None, DocumentKey("manager_llm", also=("manager_model",), camel="managerModel")
    ] = Field(None, description="The manager's model.", json_schema_extra={"x-reference": "model"})
    manager_agent: Name | None = Field(
        None,
        description="The managing agent; CrewAI creates one if omitted.",
        json_schema_extra={"x-reference": "agent"},
    )
    memory: bool = Field(False, description="Lets the crew remember across tasks; needs an embedder.")
    embedder: ModelName | None = Field(
        None, description="A model of type embedder.", json_schema_extra={"x-reference": "embedder"}
    )
    knowledge: _KnowledgeTexts = Field(
        default_factory=list, max_length=50, description="Texts all agents may search; needs an embedder."
    )
    max_rpm: int | None = Field(
        None,
        ge=1,
        le=100_000,
        title="Max requests per minute",
        description="Maximum model calls per minute of all agents together.",
    )
    cache: bool = Field(False, description="Answers repeated tool calls from a cache.")
    tool_failure_policy: ToolFailurePolicy | None = Field(None, description=_POLICY_DESCRIPTION)
    tool_policy: _ToolPolicies = Field(
        default_factory=dict,
        max_length=50,
        description="By tool: `allow` its calls, `ask` a person before each, or `deny` them. By default "
        "reading is allowed, and what writes or sends asks.",
    )
    tool_limits: dict[ToolName, ToolLimit] = Field(
        default_factory=dict,
        max_length=50,
        description="By tool: how many `calls` an attempt of a run may make, and how many `per_minute`.",
    )
    network: NetworkAccess | None = Field(None, description=_NETWORK_DESCRIPTION, json_schema_extra=FORM)
    allowed_hosts: _HostPatterns | None = Field(
        None, max_length=100, description=_HOSTS_DESCRIPTION, json_schema_extra=FORM
    )
    approver: Approver | None = Field(
        None, description="Asked by tasks without one: a role or an e-mail address.", json_schema_extra=FORM
    )
    budget: Budget | None = Field(None, description="Spending limits of a run.")
    timeout_seconds: int | None = Field(
        None, ge=1, le=2_592_000, title="Timeout (seconds)", description="A run that takes longer is stopped."
    )
    on_worker_loss: OnWorkerLoss = Field(
        OnWorkerLoss.RESUME,
        description="What happens when the worker is lost: `resume`, `restart` or `fail`.",
    )

    def agent(self, key: str) -> AgentDefinition:
        return next(agent for agent in self.agents if agent.key == key)

    def task(self, key: str) -> TaskDefinition:
        return next(task for task in self.tasks if task.key == key)

    def output_files(self) -> dict[str, str]:
        """Return the paths of the files that tasks write, by task key."""
        return {task.key: task.output_file for task in self.tasks if task.output_file}

    def model_choices(self) -> list[ModelChoice]:
        """Return every model the definition names, in order of appearance."""
        choices = [agent.model for agent in self.agents] + [self.manager_model]
        return [choice for choice in choices if choice is not None]
