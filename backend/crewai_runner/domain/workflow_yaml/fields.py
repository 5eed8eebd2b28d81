"""Every key of a workflow document. The reader, the editor's schema and the writer share these tables."""

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
_TOOLS = ListOf(RegistryName("a tool"), 50, "a list of tool names", unique=True)
_SERVERS = ListOf(RegistryName("an MCP server"), 20, "a list of names of registered MCP servers", unique=True)
_KNOWLEDGE = ListOf(KnowledgeText(), 50, "a list of texts")
_POLICY = Choice(ToolFailurePolicy)
_POLICY_ABOUT = "What a failing tool does: `ignore` goes on, `warn` tells the agent, `raise` fails the task."
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
        Key("role", _LINE, "What the agent is, such as `Senior {topic} researcher`.", required=True),
        Key("goal", _PROSE, "What the agent wants to reach.", required=True),
        Key("backstory", _PROSE, "Who the agent is and how it works.", required=True),
        Key(
            "llm",
            Model(),
            "A registered model by name; without it the default model.",
            "model",
            also=("model",),
        ),
        Key("tools", _TOOLS, "Registered tools the agent may use."),
        Key("mcps", _SERVERS, "Registered MCP servers whose tools the agent may use."),
        Key("max_iter", Whole(1, 1000), "The most steps for one task (25)."),
        Key("max_rpm", _RPM, "The most model calls a minute."),
        Key("max_execution_time", Whole(1, 86_400), "The most seconds for one task."),
        Key("max_retry_limit", _RETRIES, "How often a failed step is tried again (2)."),
        Key("allow_delegation", _FLAG, "Whether it may hand work to other agents and ask them."),
        Key("verbose", _FLAG, "Kept for CrewAI; a run always shows everything."),
        Key("cache", _FLAG, "Whether results of tools may come from the crew's cache."),
        Key("planning", _FLAG, "Whether it makes a plan before it works on a task."),
        Key("planning_max_attempts", Whole(1, 20), "How often the plan may be refined."),
        Key(
            "planning_config", Nested(PLANNING), "CrewAI's form of the planning settings; turns planning on."
        ),
        Key("guardrail", _PROSE, "A rule in words that the model checks the agent's answers against."),
        Key(
            "guardrail_max_retries",
            _RETRIES,
            "How often an answer is written anew when the rule is broken (3).",
        ),
        Key("inject_date", _FLAG, "Whether today's date is added to its tasks."),
        Key("date_format", Text(50), "How that date is written, such as `%Y-%m-%d`."),
        Key("respect_context_window", _FLAG, "Whether a conversation that grows too long is shortened."),
        Key("use_system_prompt", _FLAG, "Whether the agent's character is sent as a system message."),
        Key("system_template", _PROSE, "Replaces CrewAI's system prompt."),
        Key("prompt_template", _PROSE, "Replaces CrewAI's prompt."),
        Key("response_template", _PROSE, "Replaces CrewAI's form of an answer."),
        Key(
            "knowledge",
            _KNOWLEDGE,
            "Texts the agent may search; needs an embedder.",
            also=("knowledge_sources",),
        ),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
    ),
)

TASK_SECTION = Section(
    what="A task",
    refused=TASK,
    keys=(
        Key("description", _PROSE, "What is to be done. `{name}` is filled from the inputs.", required=True),
        Key("expected_output", _PROSE, "What the result looks like.", required=True),
        Key("agent", NAME, "The agent that does it; in a hierarchical crew the manager may choose."),
        Key("context", ListOf(NAME, MAX_TASKS, "a list of tasks", unique=True), "Earlier tasks to build on."),
        Key("tools", _TOOLS, "Registered tools for this task, instead of the agent's."),
        Key("async_execution", _FLAG, "Whether the next task may begin before this one has ended."),
        Key("human_input", _FLAG, "Whether a person looks at the answer before it counts."),
        Key("markdown", _FLAG, "Whether the answer is written as Markdown."),
        Key(
            "output_json", OutputSchema(), "A JSON Schema that the answer must fit.",
            also=("output_pydantic", "response_model"),
        ),
        Key("guardrail", _PROSE, "A rule in words that the answer is checked against."),
        Key("guardrails", ListOf(_PROSE, 10, "a list of texts", alone=True), "Several such rules."),
        Key("guardrail_max_retries", _RETRIES, "How often a broken rule has the answer written anew (3)."),
        Key("output_file", FileName(), "Keeps the answer as a file of the run; a plain file name."),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
    ),
)  # fmt: skip

BUDGET_SECTION = Section(
    what="A budget",
    keys=(
        Key("max_cost", Money(), "The most money, in the currency of the models' prices."),
        Key("max_tokens", Whole(1, 2**53), "The most tokens, in and out."),
        Key("max_llm_calls", Whole(1, 2**31), "The most model calls."),
        Key("max_seconds", Number(0, 31_536_000, above=True), "The most seconds at work, without waiting."),
    ),
)

CREW_SECTION = Section(
    what="A workflow",
    refused=CREW,
    folded=("crew", "workflow"),
    keys=(
        Key("name", NAME, "What the workflow is called."),
        Key("description", _PROSE, "What it is for."),
        Key("agents", Members("agents"), "Who works: at least one agent.", required=True),
        Key("tasks", Members("tasks"), "What is done, in this order: at least one task.", required=True),
        Key("inputs", Members("inputs"), "What a run is asked for; fills `{name}` in texts."),
        Key(
            "process",
            Choice(ProcessKind),
            "`sequential`: task by task. `hierarchical`: a manager hands out work.",
        ),
        Key("manager_llm", Model(), "The model of the manager.", "manager_model", also=("manager_model",)),
        Key("manager_agent", NAME, "The agent that manages, instead of one CrewAI makes."),
        Key("memory", _FLAG, "Whether the crew remembers across tasks; needs an embedder."),
        Key("embedder", MODEL_NAME, "A registered model of type embedder."),
        Key(
            "knowledge",
            _KNOWLEDGE,
            "Texts all agents may search; needs an embedder.",
            also=("knowledge_sources",),
        ),
        Key("max_rpm", _RPM, "The most model calls a minute, of all agents together."),
        Key("cache", _FLAG, "Whether the same tool call is answered from a cache."),
        Key("tool_failure_policy", _POLICY, _POLICY_ABOUT),
        Key("budget", Nested(BUDGET_SECTION), "What a run may spend."),
        Key("timeout_seconds", Whole(1, 2_592_000), "A run that takes longer is stopped."),
        Key("on_worker_loss", Choice(OnWorkerLoss), "When the machine dies: go on, begin anew, or fail."),
    ),
)

INPUT_SECTION = Section(
    what="An input",
    keys=(
        Key("type", Choice(InputType), "What kind of value; `text` has several lines."),
        Key("description", _PROSE, "What to enter, shown in the form."),
        Key("required", _FLAG, "Whether a run needs it; without a default it does."),
    ),
)
"""Without `default` and `enum`: what they may be hangs on the type (see `input_definitions`)."""
