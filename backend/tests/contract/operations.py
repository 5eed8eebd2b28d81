"""All operations of the OpenAPI document."""

import json
import re
from typing import Any

from crewai_runner.main import openapi_text

DOCUMENT: dict[str, Any] = json.loads(openapi_text())
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
PROTECTED = [(method, path) for method, path, _ in OPERATIONS if path.startswith("/api/")]


def fill_path(path: str, ids: dict[str, str]) -> str:
    """Fill in the parameters of a path; missing ones become `1`."""
    return re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], "1"), path)
