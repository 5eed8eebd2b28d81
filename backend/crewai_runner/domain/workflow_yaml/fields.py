"""Every key of a workflow document. The reader, the editor's schema and the writer share these tables."""

from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import (
    InputType,
    OnWorkerLoss,
    ProcessKind,
    ToolFailurePolicy,
)
from crewai_runner.domain.workflow_yaml.kinds import Choice, Flag, ListOf, Members, Text
from crewai_runner.domain.workflow_yaml.knowledge import KnowledgeText
from crewai_runner.domain.workflow_yaml.model_choice import Model
from crewai_runner.domain.workflow_yaml.names import MODEL_NAME, NAME, FileName, RegistryName
from crewai_runner.domain.workflow_yaml.numbers import Money, Number, Whole
from crewai_runner.domain.workflow_yaml.output_schema import OutputSchema
from crewai_runner.domain.workflow_yaml.refused import AGENT, CREW, PLANNING_CONFIG, TASK
from crewai_runner.domain.workflow_yaml.sections import Key, Nested, Section

MAX_AGENTS = 100
MAX_TASKS = 200
MAX_INPUTS = 100

_LINE = Text(500)
_PROSE = Text(20_000)
_FLAG = Flag()
_TOOLS = ListOf(RegistryName("a tool", tuple(TOOLS)), 50, "a list of tool names", unique=True)
_SERVERS = ListOf(RegistryName("an MCP server"), 20, "a list of names of registered MCP servers", unique=True)
_KNOWLEDGE = ListOf(KnowledgeText(), 50, "a list of texts")
_POLICY = Choice(ToolFailurePolicy)
_POLICY_ABOUT = (
    "What happens when a tool fails: `ignore` continues, `warn` tells the agent, `raise` fails the task."
)
_RPM = Whole(1, 100_000)
_RETRIES = Whole(0, 20)

PLANNING = Section(
    what="`planning_config`",
    refused=PLANNING_CONFIG,
    keys=(Key("max_attempts", Whole(1, 20), "How often the plan may be refined.", "planning_max_attempts"),),
)

AGENT_SECTION = Section(
    what="An agent",
    refused=AGENT,
    folded=("settings",),
    keys=(
        Key(
            "role", _LINE, "What the agent is, such as `Senior {topic} researcher`.",
            required=True, in_form=True,
        ),
        Key("goal", _PROSE, "What the agent should achieve.", required=True, in_form=True),
        Key("backstory", _PROSE, "Who the agent is and how it works.", required=True, in_form=True),
        Key(
            "llm", Model(), "A registered model by name; the default model if omitted.", "model",
            also=("model",), title="Model", in_form=True, reference="model",
        ),
        Key("tools", _TOOLS, "Registered tools the agent may use.", in_form=True, reference="tool"),
        Key(
            "mcps", _SERVERS, "Registered MCP servers whose tools the agent may use.",
            title="MCP servers", reference="mcp-server",
        ),
        Key(
            "max_iter", Whole(1, 1000), "Maximum steps per task; 25 by default.",
            title="Max iterations", in_form=True,
        ),
        Key("max_rpm", _RPM, "Maximum model calls per minute.", title="Max requests per minute"),
        Key("max_execution_time", Whole(1, 86_400), "Maximum seconds per task.", in_form=True),
        Key("max_retry_limit", _RETRIES, "How often a failed step is retried; 2 by default."),
        Key(
            "allow_delegation", _FLAG, "Lets the agent delegate work to other agents and ask them questions.",
            in_form=True,
        ),
        Key("verbose", _FLAG, "Accepted for compatibility with CrewAI; a run always records everything."),
        Key("cache", _FLAG, "Whether tool results may come from the crew's cache."),
        Key("planning", _FLAG, "Makes a plan before starting a task.", in_form=True),
        Key("planning_max_attempts", Whole(1, 20), "How often the plan may be refined."),
        Key("planning_config", Nested(PLANNING), "CrewAI's planning settings; turns planning on."),
        Key(
            "guardrail", _PROSE, "A rule in plain language that the agent's answers are checked against.",
            in_form=True,
        ),
        Key(
            "guardrail_max_retries", _RETRIES,
            "How often an answer that breaks the rule is rewritten; 3 by default.",
        ),
        Key("inject_date", _FLAG, "Adds today's date to the agent's tasks.", in_form=True),
        Key("date_format", Text(50), "Format of that date, such as `%Y-%m-%d`."),
        Key("respect_context_window", _FLAG, "Shortens a conversation that exceeds the context window."),
        Key("use_system_prompt", _FLAG, "Sends role, goal and backstory as a system message."),
        Key("system_template", _PROSE, "Replaces CrewAI's system prompt."),
        Key("prompt_template", _PROSE, "Replaces CrewAI's prompt."),
        Key("response_template", _PROSE, "Replaces CrewAI's response format."),
        Key(
            "knowledge", _KNOWLEDGE, "Texts the agent may search; needs an embedder.",
            also=("knowledge_sources",),
        ),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
    ),
)  # fmt: skip

TASK_SECTION = Section(
    what="A task",
    refused=TASK,
    keys=(
        Key(
            "description", _PROSE, "What to do. `{name}` is replaced by the input of that name.",
            required=True, in_form=True,
        ),
        Key("expected_output", _PROSE, "What the result should look like.", required=True, in_form=True),
        Key(
            "agent", NAME, "The agent that performs the task; optional in a hierarchical crew.",
            in_form=True, reference="agent",
        ),
        Key(
            "context", ListOf(NAME, MAX_TASKS, "a list of tasks", unique=True),
            "Earlier tasks whose output this task uses.", in_form=True, reference="task",
        ),
        Key(
            "tools", _TOOLS, "Registered tools for this task, instead of the agent's.",
            in_form=True, reference="tool",
        ),
        Key("async_execution", _FLAG, "Lets the next task start before this one has finished.", in_form=True),
        Key("human_input", _FLAG, "Asks a person to review the output before it is accepted.", in_form=True),
        Key("markdown", _FLAG, "Formats the output as Markdown.", in_form=True),
        Key(
            "output_json", OutputSchema(), "A JSON Schema that the output must match.",
            also=("output_pydantic", "response_model"), title="Output JSON",
        ),
        Key(
            "guardrail", _PROSE, "A rule in plain language that the output is checked against.", in_form=True,
        ),
        Key("guardrails", ListOf(_PROSE, 10, "a list of texts", alone=True), "Several such rules."),
        Key(
            "guardrail_max_retries", _RETRIES,
            "How often an output that breaks a rule is rewritten; 3 by default.",
        ),
        Key(
            "output_file", FileName(), "Saves the output as a file of the run; a plain file name.",
            in_form=True,
        ),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
    ),
)  # fmt: skip

BUDGET_SECTION = Section(
    what="A budget",
    keys=(
        Key("max_cost", Money(), "Maximum cost, in the currency of the models' prices."),
        Key("max_tokens", Whole(1, 2**53), "Maximum input and output tokens."),
        Key("max_llm_calls", Whole(1, 2**31), "Maximum model calls.", title="Max model calls"),
        Key(
            "max_seconds",
            Number(0, 31_536_000, above=True),
            "Maximum seconds of active time, without waiting.",
        ),
    ),
)

CREW_SECTION = Section(
    what="A workflow",
    refused=CREW,
    folded=("crew", "workflow"),
    keys=(
        Key("name", NAME, "Name of the workflow."),
        Key("description", _PROSE, "What the workflow is for."),
        Key("agents", Members("agents"), "The agents of the crew, at least one.", required=True),
        Key("tasks", Members("tasks"), "The tasks in the order they run, at least one.", required=True),
        Key("inputs", Members("inputs"), "Values a run asks for; they replace `{name}` in texts."),
        Key(
            "process",
            Choice(ProcessKind),
            "`sequential`: task by task. `hierarchical`: a manager assigns the tasks.",
        ),
        Key(
            "manager_llm", Model(), "The manager's model.", "manager_model",
            also=("manager_model",), title="Manager model", reference="model",
        ),
        Key("manager_agent", NAME, "The managing agent; CrewAI creates one if omitted.", reference="agent"),
        Key("memory", _FLAG, "Lets the crew remember across tasks; needs an embedder."),
        Key("embedder", MODEL_NAME, "A registered model of type embedder.", reference="embedder"),
        Key(
            "knowledge", _KNOWLEDGE, "Texts all agents may search; needs an embedder.",
            also=("knowledge_sources",),
        ),
        Key(
            "max_rpm", _RPM, "Maximum model calls per minute of all agents together.",
            title="Max requests per minute",
        ),
        Key("cache", _FLAG, "Answers repeated tool calls from a cache."),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
        Key("budget", Nested(BUDGET_SECTION), "Spending limits of a run."),
        Key(
            "timeout_seconds", Whole(1, 2_592_000), "A run that takes longer is stopped.",
            title="Timeout (seconds)",
        ),
        Key(
            "on_worker_loss", Choice(OnWorkerLoss),
            "What happens when the worker is lost: `resume`, `restart` or `fail`.",
        ),
    ),
)  # fmt: skip

INPUT_SECTION = Section(
    what="An input",
    keys=(
        Key("type", Choice(InputType), "Type of the value; `text` has several lines."),
        Key("description", _PROSE, "What to enter, shown in the form."),
        Key(
            "required", _FLAG, "Whether a run needs a value; true by default unless there is a default value."
        ),
    ),
)
"""Without `default` and `enum`: what they may be hangs on the type (see `input_definitions`)."""
