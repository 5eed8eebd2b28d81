"""The check that a caller has a right."""

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.errors import ScopeMissing


def check_scope(principal: Principal, scope: Scope) -> None:
    """Raises ScopeMissing (403) unless the principal has the scope."""
    if not principal.has_scope(scope):
        raise ScopeMissing(f"This requires the scope {scope}.", scope=str(scope))
