"""Keys that CrewAI knows and a document here may not use, each with its reason and what to do instead."""

from dataclasses import dataclass

UNSAFE = "unsafe-key"
UNSUPPORTED = "unsupported-key"
DEPRECATED = "deprecated-key"


@dataclass(frozen=True)
class Refusal:
    """Why a key is refused. With one of the `harmless` values it only earns a warning."""

    code: str
    why: str
    harmless: tuple[object, ...] = (None, False)
    only_warns: bool = False


def _unsafe(why: str) -> Refusal:
    return Refusal(UNSAFE, why)


def _unsupported(why: str) -> Refusal:
    return Refusal(UNSUPPORTED, why)


def _idle(why: str) -> Refusal:
    return Refusal("no-effect", why, only_warns=True)


_CODE = _unsafe(
    "It names code to run, and a document is only data. Use a guardrail in words, or a registered tool."
)
_CONFIG = _unsafe("It sets fields past every check. Write the fields themselves.")
_PLATFORM = _unsafe("It reaches for the CrewAI platform. Use registered tools: `tools: [name]`.")
_ENGINE = _unsafe("It replaces parts of the engine, which a document may not do. Remove it.")
_FILES = _unsafe("It reads files of the server. Put texts under `knowledge:`.")
_WRITES = _unsafe("It writes to a path of the server. Logs and events of a run are kept anyway.")
_CREDENTIALS = _unsafe(
    "Addresses and keys belong to the provider in the settings. Write `llm: <model name>`."
)
_REASONING = Refusal(DEPRECATED, "Use `planning: true`, with `planning_max_attempts` to bound it.")
_FUNCTION_LLM = Refusal(DEPRECATED, "CrewAI has given it up. The agent's own `llm` calls its tools.")
_CREW_WIDE = "Set it at the top of the document: it belongs to the crew."
_ALWAYS_STREAMS = _idle("Tokens always stream while a run is watched.")
_QUIET = _idle("A run shows everything in its timeline; nothing is printed.")

MODEL = {
    **dict.fromkeys(
        ("api_key", "base_url", "api_base", "provider", "default_headers", "extra_headers", "default_query",
         "organization", "project", "api_version", "deployment_name", "endpoint", "azure_endpoint",
         "custom_llm_provider", "client_params", "region_name", "aws_access_key_id", "aws_secret_access_key",
         "aws_session_token", "credentials", "vertex_credentials"),
        _CREDENTIALS,
    ),
    **dict.fromkeys(("callbacks", "interceptor", "http_client", "python", "completion_cost"), _CODE),
    "stream": _ALWAYS_STREAMS,
    "n": _unsupported("One answer is asked for. Remove it."),
    "logprobs": _unsupported("Nothing shows it. Remove it."),
    "response_format": _unsupported("Write `output_json` in the task."),
}  # fmt: skip

PLANNING_CONFIG = {
    "reasoning_effort": Refusal(
        UNSUPPORTED, "Plans are checked in the quickest way: write `low`, or nothing.", harmless=(None, "low")
    ),
    "llm": _unsupported("An agent plans with its own model."),
    **dict.fromkeys(
        ("observe_steps", "max_steps", "max_replans", "max_step_iterations", "step_timeout"),
        _unsupported("Only `max_attempts` can be set."),
    ),
    **dict.fromkeys(
        ("system_prompt", "plan_prompt", "refine_prompt"),
        _unsupported("CrewAI's own prompts are used."),
    ),
}

AGENT = {
    **dict.fromkeys(("callbacks", "callback", "step_callback", "python", "tool_type", "command"), _CODE),
    **dict.fromkeys(
        ("executor_class", "agent_executor", "i18n", "checkpoint", "security_config", "a2a"), _ENGINE
    ),
    **dict.fromkeys(("from_repository", "apps"), _PLATFORM),
    **dict.fromkeys(("api_key", "base_url"), _CREDENTIALS),
    **dict.fromkeys(("reasoning", "max_reasoning_attempts", "reasoning_effort"), _REASONING),
    "config": _CONFIG,
    "type": Refusal(UNSAFE, _CODE.why, harmless=("Agent", "agent", "crewai.Agent")),
    "skills": _FILES,
    "knowledge_config": _unsupported("Knowledge is searched with CrewAI's own limits. Remove it."),
    "function_calling_llm": _FUNCTION_LLM,
    "allow_code_execution": Refusal(DEPRECATED, "CrewAI no longer runs code. Use a registered tool."),
    "code_execution_mode": _idle("CrewAI no longer runs code."),
    "multimodal": Refusal(DEPRECATED, "CrewAI has given it up. Use a model that reads images."),
    "max_tokens": _unsupported("Write it with the model: `llm: {model: name, max_tokens: 1000}`."),
    "temperature": _unsupported("Write it with the model: `llm: {model: name, temperature: 0.2}`."),
    "memory": _unsupported(_CREW_WIDE),
    "embedder": _unsupported(_CREW_WIDE),
    "use_better_compaction": _idle("The engine chooses how it shortens a conversation."),
}

TASK = {
    **dict.fromkeys(
        ("callback", "callbacks", "converter_cls", "condition", "python", "tool_type", "command"), _CODE
    ),
    "type": Refusal(
        UNSAFE,
        "A conditional task needs code to decide. Say in the description when there is nothing to do.",
        harmless=("Task", "task", "crewai.Task"),
    ),
    "config": _CONFIG,
    "security_config": _ENGINE,
    "input_files": _FILES,
    "create_directory": _idle("Output files are artifacts of the run and need no folder."),
    "allow_crewai_trigger_context": _unsupported("Give the values as `inputs`."),
    "max_retries": Refusal(DEPRECATED, "Write `guardrail_max_retries`."),
    "llm": _unsupported("A model belongs to an agent: give the agent an `llm`."),
    "model": _unsupported("A model belongs to an agent: give the agent a `model`."),
}

CREW = {
    **dict.fromkeys(
        ("step_callback", "task_callback", "callbacks", "before_kickoff_callbacks", "after_kickoff_callbacks",
         "manager_callbacks", "python", "tool_type", "command"),
        _CODE,
    ),
    **dict.fromkeys(("prompt_file", "trained_agents_file", "skills", "input_files"), _FILES),
    **dict.fromkeys(("output_log_file", "output_file"), _WRITES),
    **dict.fromkeys(("checkpoint", "security_config", "tracing"), _ENGINE),
    **dict.fromkeys(("api_key", "base_url"), _CREDENTIALS),
    "config": _CONFIG,
    "share_crew": _unsafe("It sends the crew to CrewAI's servers. Remove it."),
    "planning": _unsupported(
        "Planning of a whole crew fails in CrewAI's asynchronous runs. Write `planning: true` in its agents."
    ),
    "planning_llm": _unsupported("Agents plan with their own model: write `planning: true` in the agent."),
    "function_calling_llm": _FUNCTION_LLM,
    "chat_llm": _idle("Messages to a run are answered by the agent at work."),
    "stream": _ALWAYS_STREAMS,
    "verbose": _QUIET,
    "full_output": _idle("The output of every task is always kept."),
    "language": _unsupported("Say in the backstory which language to write."),
    "llm": _unsupported("Give each agent its `llm`, or set a default model in the settings."),
    "model": _unsupported("Give each agent its `model`, or set a default model in the settings."),
    "tools": _unsupported("Tools belong to agents and tasks."),
    "mcps": _unsupported("MCP servers belong to agents."),
}  # fmt: skip
