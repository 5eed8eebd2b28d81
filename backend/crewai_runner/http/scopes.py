"""The scope that an endpoint requires, as its dependencies declare it."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.security.base import SecurityBase


class ScopeRequirement(SecurityBase):
    """A dependency that rejects callers without one scope. The OpenAPI document shows it."""

    scope: str


def find_scopes(dependant: Dependant) -> set[str]:
    """Return the scopes that an endpoint and its dependencies require."""
    return {str(requirement.scope) for requirement in _iterate(dependant)}


def _iterate(dependant: Dependant) -> Iterator[ScopeRequirement]:
    if isinstance(dependant.call, ScopeRequirement):
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from _iterate(dependency)
