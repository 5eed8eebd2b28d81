"""A good request for every operation that takes a body, and what hostile senders make of it."""

import math
from collections.abc import Iterator
from typing import Any

from tests.contract.world import DOCUMENT, World

V1 = "/api/v1"
HALF_A_CHARACTER = "\ud800"
HOSTILE: list[Any] = [
    "\x00",
    f"a{HALF_A_CHARACTER}b",
    "x" * 70_000,
    "",
    None,
    -1,
    2**63,
    10**400,
    math.nan,
    {"\x00": {HALF_A_CHARACTER: [math.nan]}},
]


def bodies(world: World) -> dict[tuple[str, str], Any]:
    """By method and path; every field that a client can send stands in one of them."""
    provider = {
        "name": "another",
        "type": "openai_compatible",
        "apiKey": "sk-another-key-0123456789",
        "baseUrl": "http://127.0.0.1:9/v1",
        "models": ["some-model"],
        "options": {"apiVersion": "2024-10-21", "region": "eu-central-1"},
    }
    model = {
        "name": "another",
        "type": "llm",
        "providerId": world.spare["provider_id"],
        "endpoint": "some-model",
        "default": False,
        "settings": {"temperature": 0.5, "maxTokens": 100, "timeoutSeconds": 10, "stop": ["x"]},
        "capabilities": {"tools": True, "vision": False, "json": True, "contextWindow": 4096},
        "pricing": {"inputPerMillion": "1", "outputPerMillion": "2", "currency": "USD"},
    }
    budget = {"maxCost": "1.5", "maxTokens": 100_000, "maxLlmCalls": 10, "maxSeconds": 100}
    start = {
        "workflow": DOCUMENT,
        "inputs": {"topic": "tea"},
        "budget": budget,
        "metadata": {"team": "blue", "deep": {"list": [1, "two", 3.5]}},
    }
    saved = {"workflowId": world.known["workflow_id"], "version": 1}
    run = world.known["run_id"]
    resolve = {"action": "revise", "feedback": "Shorter.", "edited": "No."}
    draft = {"workflow": {"yaml": DOCUMENT.replace("Known", "Fresh"), "note": "why"}}
    return {
        ("POST", f"{V1}/providers"): {"provider": provider},
        ("POST", f"{V1}/providers/test"): {"provider": provider},
        ("PATCH", f"{V1}/providers/{{provider_id}}"): {"provider": provider},
        ("POST", f"{V1}/models"): {"model": model},
        ("PATCH", f"{V1}/models/{{model_id}}"): {"model": {k: v for k, v in model.items() if k != "type"}},
        ("POST", f"{V1}/workflows"): draft,
        ("PUT", f"{V1}/workflows/{{workflow_id}}"): draft,
        ("POST", f"{V1}/workflows/import"): {
            "agentsYaml": "writer: {role: W, goal: G, backstory: B}",
            "tasksYaml": "draft: {description: D, expected_output: E, agent: writer}",
            "name": "Imported",
            "note": "why",
        },
        ("POST", f"{V1}/workflows/start"): start,
        ("POST", f"{V1}/runs"): saved,
        ("POST", f"{V1}/runs/preflight"): start,
        ("POST", f"{V1}/workflows/stop"): {"workflowId": run, "mode": "now"},
        ("POST", f"{V1}/runs/{{run_id}}/stop"): {"mode": "now"},
        ("POST", f"{V1}/runs/{{run_id}}/retry"): {"inputs": {"topic": "tea"}},
        ("POST", f"{V1}/runs/{{run_id}}/resume"): {"budget": budget},
        ("POST", f"{V1}/runs/{{run_id}}/fork"): {"fromTask": "draft", "inputs": {"topic": "tea"}},
        ("POST", f"{V1}/runs/{{run_id}}/messages"): {"text": "Hello", "agent": "writer"},
        ("POST", f"{V1}/chat"): {"workflowId": run, "message": "Hello", "agent": "writer"},
        ("POST", f"{V1}/approvals/{{approval_id}}/resolve"): resolve,
        ("POST", f"{V1}/yaml/validate"): {"yamlContent": DOCUMENT},
        ("POST", f"{V1}/yaml/convert"): {"yamlContent": DOCUMENT, "to": "list"},
    }


def spoilt(body: Any) -> Iterator[Any]:
    """The body with one value after another, at every depth, replaced by every hostile one."""
    yield from HOSTILE
    if isinstance(body, dict):
        for name, value in body.items():
            yield from ({**body, name: other} for other in spoilt(value))
        yield {**body, "\x00": 1}
    elif isinstance(body, list):
        for at, value in enumerate(body):
            yield from ([*body[:at], other, *body[at + 1 :]] for other in spoilt(value))
