"""Keys of CrewAI that a document does not support, each with the reason and an alternative."""

from dataclasses import dataclass

UNSAFE = "unsafe-key"
UNSUPPORTED = "unsupported-key"
DEPRECATED = "deprecated-key"


@dataclass(frozen=True)
class UnsupportedKey:
    """Why a key is not supported. With one of the `harmless` values it is reported as a warning."""

    code: str
    reason: str
    harmless: tuple[object, ...] = (None, False)
    only_warns: bool = False


def _unsafe(reason: str) -> UnsupportedKey:
    return UnsupportedKey(UNSAFE, reason)


def _unsupported(reason: str) -> UnsupportedKey:
    return UnsupportedKey(UNSUPPORTED, reason)


def _without_effect(reason: str) -> UnsupportedKey:
    return UnsupportedKey("no-effect", reason, only_warns=True)


_CODE = _unsafe(
    "It names code to run, but a document is data. Use a guardrail in plain language, or a registered tool."
)
_CONFIG = _unsafe("It bypasses the validation of the fields. Write the fields themselves.")
_PLATFORM = _unsafe("It uses the CrewAI platform. Use registered tools: `tools: [name]`.")
_ENGINE = _unsafe("It replaces parts of the engine. Remove it.")
_FILES = _unsafe("It reads files of the server. Write the texts under `knowledge:`.")
_WRITES = _unsafe("It writes to a path of the server. Logs and events of a run are always stored.")
_CREDENTIALS = _unsafe(
    "Addresses and keys belong to the provider in the settings. Write `llm: <model name>`."
)
_REASONING = UnsupportedKey(DEPRECATED, "Use `planning: true`, with `planning_max_attempts` as the limit.")
_FUNCTION_LLM = UnsupportedKey(DEPRECATED, "CrewAI has deprecated it. The agent's own `llm` calls its tools.")
_CREW_WIDE = "Set it at the top of the document: it belongs to the crew."
_ALWAYS_STREAMS = _without_effect("Tokens are always streamed while a run is open in the browser.")
_QUIET = _without_effect("A run shows all details in its timeline; nothing is printed.")

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
    "n": _unsupported("Only one answer is requested. Remove it."),
    "logprobs": _unsupported("It is not shown anywhere. Remove it."),
    "response_format": _unsupported("Write `output_json` in the task."),
}  # fmt: skip

PLANNING_CONFIG = {
    "reasoning_effort": UnsupportedKey(UNSUPPORTED, "Only `low` is supported.", harmless=(None, "low")),
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
    "type": UnsupportedKey(UNSAFE, _CODE.reason, harmless=("Agent", "agent", "crewai.Agent")),
    "skills": _FILES,
    "knowledge_config": _unsupported("Knowledge is searched with CrewAI's default limits. Remove it."),
    "function_calling_llm": _FUNCTION_LLM,
    "allow_code_execution": UnsupportedKey(DEPRECATED, "CrewAI no longer runs code. Use a registered tool."),
    "code_execution_mode": _without_effect("CrewAI no longer runs code."),
    "multimodal": UnsupportedKey(DEPRECATED, "CrewAI has deprecated it. Use a model that accepts images."),
    "max_tokens": _unsupported("Write it with the model: `llm: {model: name, max_tokens: 1000}`."),
    "temperature": _unsupported("Write it with the model: `llm: {model: name, temperature: 0.2}`."),
    "memory": _unsupported(_CREW_WIDE),
    "embedder": _unsupported(_CREW_WIDE),
    "use_better_compaction": _without_effect("The engine decides how to shorten a conversation."),
}

TASK = {
    **dict.fromkeys(
        ("callback", "callbacks", "converter_cls", "condition", "python", "tool_type", "command"), _CODE
    ),
    "type": UnsupportedKey(
        UNSAFE,
        "A conditional task needs code for its condition. Describe the condition in the description instead.",
        harmless=("Task", "task", "crewai.Task"),
    ),
    "config": _CONFIG,
    "security_config": _ENGINE,
    "input_files": _FILES,
    "create_directory": _without_effect("Output files are artifacts of the run."),
    "allow_crewai_trigger_context": _unsupported("Give the values as `inputs`."),
    "max_retries": UnsupportedKey(DEPRECATED, "Write `guardrail_max_retries`."),
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
    "chat_llm": _without_effect("Messages to a run are answered by the active agent."),
    "stream": _ALWAYS_STREAMS,
    "verbose": _QUIET,
    "full_output": _without_effect("The output of every task is always stored."),
    "language": _unsupported("State the language in the backstory."),
    "llm": _unsupported("Give each agent its `llm`, or set a default model in the settings."),
    "model": _unsupported("Give each agent its `model`, or set a default model in the settings."),
    "tools": _unsupported("Tools belong to agents and tasks."),
    "mcps": _unsupported("MCP servers belong to agents."),
}  # fmt: skip
