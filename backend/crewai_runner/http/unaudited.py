"""Declares endpoints that change nothing although their method could: they leave no row in the audit log.

    @router.post("/validate", **unaudited("It stores nothing."))

The OpenAPI document shows the reason.
"""

from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

EXTENSION = "x-unaudited"
CHANGING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def unaudited(reason: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the route arguments; `extra` are other extensions of the operation."""
    return {"openapi_extra": {EXTENSION: reason, **(extra or {})}}


def is_audited(scope: Scope) -> bool:
    """Whether a request that was routed changes something, if it succeeds."""
    route = scope.get("route")
    extra = getattr(route, "openapi_extra", None) or {}
    return route is not None and scope.get("method") in CHANGING_METHODS and EXTENSION not in extra
