"""Who brings a definition or a provider with a run must have the right to write one."""

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.service import check_scope
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.providers.schemas import ProviderCreate


def check_author(principal: Principal, request: RunStart) -> None:
    """Raises ScopeMissing (403) for a definition or provider without the right to write one."""
    if request.workflow is not None:
        check_scope(principal, Scope.WORKFLOWS_WRITE, "Starting a definition that is part of the request")
    check_inline_provider(principal, request.provider_config)


def check_inline_provider(principal: Principal, provider: ProviderCreate | None) -> None:
    """Raises ScopeMissing (403) for a provider in the request: it decides where prompts are sent."""
    if provider is not None:
        check_scope(principal, Scope.PROVIDERS_WRITE, "Bringing a provider with a run")
