"""Errors of providers."""

from collections.abc import Sequence
from http import HTTPStatus

from crewai_runner.core.errors import AppError, Conflict, NotFound, Unprocessable


class ProviderNotFound(NotFound):
    slug = "provider-not-found"
    title = "Provider not found"

    def __init__(self, provider_id: str) -> None:
        super().__init__(f"Provider {provider_id!r} does not exist. It may have been deleted.")


class ProviderNameTaken(Conflict):
    slug = "provider-name-taken"
    title = "Provider name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A provider named {name!r} already exists. Choose another name.")


class ProviderInUse(Conflict):
    slug = "provider-in-use"
    title = "Provider is in use"

    def __init__(self, models: Sequence[str]) -> None:
        names = ", ".join(models[:5]) + (f" and {len(models) - 5} more" if len(models) > 5 else "")
        super().__init__(
            f"Models use this provider: {names}. Delete them first, or use `?force=true` to delete all.",
            models=list(models),
        )


class ProviderBuiltIn(Conflict):
    slug = "provider-built-in"
    title = "Built-in provider cannot be changed"


class ProviderInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "provider-invalid"
    title = "Provider is not valid"

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        pointer, detail = errors[0]
        super().__init__(
            f"{pointer}: {detail}",
            errors=[{"pointer": pointer, "detail": detail} for pointer, detail in errors],
        )


class ApiKeyNeededAgain(ProviderInvalid):
    slug = "api-key-needed-again"
    title = "Enter the API key again"

    def __init__(self) -> None:
        detail = (
            "The address of the provider has changed. Enter the API key again, or null to remove it: "
            "a stored key is never sent to a new address."
        )
        super().__init__([("/apiKey", detail)])


class ProviderFailed(AppError):
    """A request to the provider failed in the connection stage `stage`."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "provider-failed"
    title = "Request to the provider failed"
