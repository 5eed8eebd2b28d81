"""All operations of the OpenAPI document."""

import json
import re
from pathlib import Path
from typing import Any

# The stored document: building it takes seconds in each test process. `test_openapi` compares the two.
DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
PROTECTED = [
    (method, path)
    for method, path, _ in OPERATIONS
    if path.startswith(("/api/", "/amp/", "/crewai_plus/", "/mcp"))
    and not path.startswith(("/api/v1/sign-in", "/api/v1/shared-run", "/api/v1/mcp/client-metadata"))
]


def fill_path(path: str, ids: dict[str, str]) -> str:
    """Fill in the parameters of a path; missing ones become `1`."""
    return re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], "1"), path)
