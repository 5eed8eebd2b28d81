"""A valid request body for every operation, and malformed variants of it."""

import json
import math
from collections.abc import Iterator
from typing import Any

from tests.contract.seeded_workspace import DOCUMENT, SeededWorkspace

V1 = "/api/v1"
SURROGATE = "\ud800"
MALFORMED_VALUES: list[Any] = [
    "\x00",
    f"a{SURROGATE}b",
    "x" * 70_000,
    "",
    None,
    -1,
    2**63,
    10**400,
    math.nan,
    {"\x00": {SURROGATE: [math.nan]}},
]


QUOTAS = {
    "runsAtOnce": 1000,
    "runsPerDay": 100_000,
    "spendPerMonth": {"amount": "1000", "currency": "USD"},
    "storedMb": 1000,
    "keptDays": 30,
}


OPENAPI_DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Items", "version": "1"},
    "paths": {
        "/items/{id}": {
            "get": {
                "operationId": "getItem",
                "summary": "Get an item.",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "The item."}},
            }
        }
    },
}


MCP_SERVER = {
    "name": "another",
    "url": "http://127.0.0.1:9/mcp",
    "auth": "header",
    "headerName": "X-Key",
    "credential": "sk-another-key-0123456789",
    "timeoutSeconds": 5,
    "isEnabled": True,
}


def example_bodies(workspace: SeededWorkspace) -> dict[tuple[str, str], Any]:
    """Bodies by method and path; together they contain every field of the API."""
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
        "providerId": workspace.disposable_ids["provider_id"],
        "providerModel": "some-model",
        "endpoint": "/v1/chat/completions",
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
    saved = {"workflowId": workspace.ids["workflow_id"], "version": 1}
    run = workspace.ids["run_id"]
    resolve = {"action": "revise", "feedback": "Shorter.", "edited": "No.", "answer": "Yes."}
    draft = {"workflow": {"yaml": DOCUMENT.replace("Known", "Fresh"), "note": "why"}}
    hooks = {f"{kind}WebhookUrl": f"http://127.0.0.1:9/{kind}" for kind in ("task", "step", "crew")}
    return {
        ("POST", f"{V1}/providers"): {"provider": provider},
        ("POST", f"{V1}/providers/test"): {"provider": provider},
        ("PATCH", f"{V1}/providers/{{provider_id}}"): {"provider": provider},
        ("POST", f"{V1}/models"): {"model": model},
        ("POST", f"{V1}/mcp/servers"): MCP_SERVER,
        ("PUT", f"{V1}/mcp/servers/{{mcp_server_id}}"): MCP_SERVER,
        ("POST", f"{V1}/mcp/servers/{{mcp_server_id}}/tools/review"): {
            "reviews": [{"name": "add", "digest": "0" * 64, "use": True}]
        },
        ("POST", f"{V1}/mcp/authorizations/finish"): {
            "state": "mcp_unknown.state",
            "code": "a-code",
            "iss": "http://127.0.0.1:9",
        },
        ("POST", f"{V1}/mcp/import/config"): {
            "config": {"mcpServers": {"Imported": {"url": "http://127.0.0.1:9/mcp"}}}
        },
        ("POST", f"{V1}/mcp/servers/{{mcp_server_id}}/contents/read"): {"uri": "file:///tea.txt"},
        ("POST", f"{V1}/mcp/tools/test"): {"tool": "mcp:known/add", "arguments": {"a": 1}},
        ("POST", f"{V1}/session"): {"remember": True},
        ("PATCH", f"{V1}/models/{{model_id}}"): {"model": {k: v for k, v in model.items() if k != "type"}},
        ("POST", f"{V1}/workflows"): draft,
        ("PUT", f"{V1}/workflows/{{workflow_id}}"): draft,
        ("POST", f"{V1}/workflows/import"): {
            "agentsYaml": "writer: {role: W, goal: G, backstory: B}",
            "tasksYaml": "draft: {description: D, expected_output: E, agent: writer}",
            "name": "Imported",
            "note": "why",
        },
        ("POST", f"{V1}/workflows/import/preview"): {"files": {"crew.py": "from crewai import Crew"}},
        ("PATCH", f"{V1}/projects/{{project_id}}"): {
            "project": {
                "name": "Renamed",
                "description": "What it does.",
                "modelMap": {"gpt-4o": "main"},
                "allowedHosts": ["api.example.org"],
                "approver": "editor",
            }
        },
        ("PUT", f"{V1}/projects/{{project_id}}/secrets/{{name}}"): {"value": "a-secret-value"},
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
        ("POST", "/amp/{slug}/kickoff"): {
            "inputs": {"topic": "tea"},
            "meta": {"team": "blue"},
            **hooks,
            "webhooks": {
                "events": ["task_completed"],
                "url": "http://127.0.0.1:9/events",
                "realtime": True,
                "authentication": {"strategy": "bearer", "token": "token-of-a-receiver"},
            },
        },
        ("POST", "/crewai_plus/api/v1/tracing/grants"): {
            "execution_uuid": "e7e58590-44b2-4260-a77c-4a90dada561b",
            "include_trace_url": True,
        },
        ("POST", "/amp/{slug}/resume"): {
            "execution_id": run,
            "task_id": "draft",
            "human_feedback": "Shorter.",
            "is_approve": False,
            **hooks,
        },
        ("POST", f"{V1}/workflows/{{workflow_id}}/memories/delete"): {"ids": ["a-memory"]},
        **team_bodies(),
        **tool_bodies(),
        **trigger_bodies(workspace),
        ("POST", "/mcp"): {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "get_run", "arguments": {"run_id": run}, "_meta": {"progressToken": "t"}},
        },
        ("POST", f"{V1}/yaml/validate"): {"yamlContent": DOCUMENT},
        ("POST", f"{V1}/yaml/convert"): {"yamlContent": DOCUMENT, "to": "list"},
    }


def tool_bodies() -> dict[tuple[str, str], Any]:
    """Bodies of the operations on tools and connections."""
    connection = {
        "name": "another",
        "kind": "http",
        "baseUrl": "http://127.0.0.1:9/v1",
        "secret": "canary-token-83hf72kd01",
        "options": {"auth": "header", "header": "X-Key", "methods": ["GET", "POST"]},
        "isDefault": False,
    }
    document = json.dumps(OPENAPI_DOCUMENT)
    return {
        ("POST", f"{V1}/apis"): {
            "name": "another",
            "document": document,
            "operations": ["getItem"],
            "baseUrl": "http://127.0.0.1:9/v1",
            "resultPaths": {"getItem": "$.name"},
        },
        ("POST", f"{V1}/apis/preview"): {"document": document},
        ("POST", f"{V1}/connections"): {"connection": connection},
        ("POST", f"{V1}/connections/test"): {"connection": connection},
        ("PATCH", f"{V1}/connections/{{connection_id}}"): {
            "connection": {name: value for name, value in connection.items() if name != "kind"}
        },
        ("POST", f"{V1}/tools/try"): {"tool": "calculator", "arguments": {"expression": "6 * 7"}},
    }


def trigger_bodies(workspace: SeededWorkspace) -> dict[tuple[str, str], Any]:
    """Bodies of the operations on triggers."""
    trigger = {
        "name": "another",
        "workflowId": workspace.ids["workflow_id"],
        "signature": "github",
        "secret": "canary-hook-secret-83hf72kd01",
        "inputs": {"topic": "/issue/title"},
        "isEnabled": True,
    }
    return {
        ("POST", f"{V1}/triggers"): {"trigger": trigger},
        ("PATCH", f"{V1}/triggers/{{trigger_id}}"): {
            "trigger": {name: value for name, value in trigger.items() if name != "workflowId"}
        },
        ("POST", f"{V1}/triggers/{{trigger_id}}/preview"): {"inputs": {"topic": "/issue/title"}},
        ("POST", "/hooks/{token}"): {"issue": {"title": "tea"}},
    }


def team_bodies() -> dict[tuple[str, str], Any]:
    """Bodies of the operations on people, keys and workspaces."""
    password = "correct horse battery staple"
    key = {"name": "A program", "role": "viewer", "expiresAt": "2099-01-01T00:00:00Z"}
    token = {"token": "t" * 43}
    return {
        ("POST", f"{V1}/workspaces"): {"name": "Another"},
        ("PATCH", f"{V1}/workspace"): {"name": "Default", "allowsPublicLinks": True},
        ("POST", f"{V1}/runs/{{run_id}}/public-links"): {
            "days": 1,
            "showsInputs": True,
            "showsPrompts": True,
        },
        ("POST", f"{V1}/shared-run"): {"token": "a-token-that-no-link-has"},
        ("PUT", f"{V1}/workspace/quotas"): QUOTAS,
        ("PUT", f"{V1}/workspaces/{{workspace_id}}/quotas"): QUOTAS,
        ("POST", f"{V1}/people"): {
            "name": "Ann",
            "email": "ann@example.org",
            "password": password,
            "role": "viewer",
            "isAdministrator": False,
        },
        ("PATCH", f"{V1}/people/{{person_id}}"): {"role": "operator"},
        ("POST", f"{V1}/me/removal"): {"password": "not the password"},
        ("POST", f"{V1}/invitations"): {"email": "bob@example.org", "role": "viewer"},
        ("POST", f"{V1}/api-keys"): key,
        ("POST", f"{V1}/me/api-keys"): key,
        ("POST", f"{V1}/me/workspace"): {"workspaceId": "ws_default"},
        ("POST", f"{V1}/me/invitations"): token,
        ("PUT", f"{V1}/me/password"): {"currentPassword": password, "password": password},
        ("POST", f"{V1}/me/second-factor"): {"password": password},
        ("POST", f"{V1}/me/second-factor/confirm"): {"code": "123456"},
        ("POST", f"{V1}/me/second-factor/remove"): {"password": password},
        ("POST", f"{V1}/me/identities"): {"issuer": "unknown"},
        ("POST", f"{V1}/sign-in/issuer"): {"issuer": "unknown", "next": "/runs"},
        ("POST", f"{V1}/sign-in/issuer/callback"): {
            "issuer": "unknown",
            "code": "a-code",
            "state": "a-state",
            "iss": "https://id.example.org",
        },
        ("POST", f"{V1}/sign-in"): {
            "email": "unknown@example.org",
            "password": password,
            "code": "123456",
            "remember": False,
        },
        ("POST", f"{V1}/sign-in/invitation"): token | {"name": "Ann", "password": password},
        ("POST", f"{V1}/sign-in/password-reset"): token | {"password": password},
    }


def mutate(body: Any) -> Iterator[Any]:
    """Yield the body with each value, at every depth, replaced by each malformed one."""
    yield from MALFORMED_VALUES
    if isinstance(body, dict):
        for name, value in body.items():
            yield from ({**body, name: variant} for variant in mutate(value))
        yield {**body, "\x00": 1}
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from ([*body[:index], variant, *body[index + 1 :]] for variant in mutate(value))
