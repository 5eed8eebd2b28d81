"""The workload of all benchmarks: two agents, two tasks, two model calls."""

import os
from typing import Any

MODEL = "bench-model"
MODEL_CALLS = 2

AGENTS: dict[str, dict[str, str]] = {
    "researcher": {
        "role": "Researcher",
        "goal": "Find what matters about the topic",
        "backstory": "You check every source.",
    },
    "writer": {
        "role": "Writer",
        "goal": "Write a clear summary",
        "backstory": "You write concisely.",
    },
}
TASKS: list[dict[str, Any]] = [
    {
        "name": "find",
        "description": "Find three facts about tides.",
        "expected_output": "Three bullets",
        "agent": "researcher",
    },
    {
        "name": "write",
        "description": "Write one paragraph from the facts.",
        "expected_output": "One paragraph",
        "agent": "writer",
        "context": ["find"],
    },
]

WORKFLOW: dict[str, Any] = {
    "name": "bench",
    "agents": {name: {**texts, "llm": MODEL} for name, texts in AGENTS.items()},
    "tasks": TASKS,
}


def clean_environment(storage: str) -> dict[str, str]:
    """Return the environment of measured processes, without proxies, provider keys and telemetry.

    Compiled modules are kept, as after `make run` and in the image, so that a start does not compile.
    """
    dropped = ("_PROXY", "_API_KEY", "OPENAI_", "DATABASE_URL", "ROLE", "PYTHONDONTWRITEBYTECODE")
    kept = {
        name: value for name, value in os.environ.items() if not any(part in name.upper() for part in dropped)
    }
    return {
        **kept,
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "CREWAI_DISABLE_VERSION_CHECK": "true",
        "CREWAI_STORAGE_DIR": storage,
        "PYTHON_DOTENV_DISABLED": "1",
    }
