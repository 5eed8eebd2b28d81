"""What can go wrong with providers."""

from collections.abc import Sequence
from http import HTTPStatus

from crewai_runner.core.errors import AppError, Conflict, NotFound, Unprocessable


class ProviderNotFound(NotFound):
    slug = "provider-not-found"
    title = "Provider not found"

    def __init__(self, provider_id: str) -> None:
        super().__init__(f"There is no provider {provider_id!r} here. It may have been deleted.")


class ProviderNameTaken(Conflict):
    slug = "provider-name-taken"
    title = "Provider name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a provider named {name!r} already; choose another name.")


class ProviderInUse(Conflict):
    slug = "provider-in-use"
    title = "Provider is in use"

    def __init__(self, models: Sequence[str]) -> None:
        named = ", ".join(models[:5]) + (f" and {len(models) - 5} more" if len(models) > 5 else "")
        super().__init__(
            f"Models hang on this provider: {named}. Delete them first, or use `?force=true` to delete all.",
            models=list(models),
        )


class ProviderBuiltIn(Conflict):
    slug = "provider-built-in"
    title = "The built-in provider is the server's own"


class ProviderInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "provider-invalid"
    title = "Provider is not valid"

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        pointer, detail = errors[0]
        super().__init__(
            f"{pointer}: {detail}", errors=[{"pointer": where, "detail": what} for where, what in errors]
        )


class ApiKeyNeededAgain(ProviderInvalid):
    slug = "api-key-needed-again"
    title = "Enter the API key again"

    def __init__(self) -> None:
        detail = (
            "The provider moves to another address. Enter the API key again (or null to remove it), "
            "so that the stored key is not sent to a new place unasked."
        )
        super().__init__([("/apiKey", detail)])


class ProviderFailed(AppError):
    """The provider could not be asked, or refused; `stage` says how far it went."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "provider-failed"
    title = "The provider did not answer as it should"
