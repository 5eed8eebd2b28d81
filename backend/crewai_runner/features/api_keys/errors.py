"""Errors of API keys."""

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class ApiKeyNotFound(NotFound):
    slug = "api-key-not-found"
    title = "API key not found"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"API key {key_id!r} does not exist.")


class ApiKeyExpiry(Unprocessable):
    slug = "api-key-expiry"
    title = "The expiry date is not valid"

    def __init__(self) -> None:
        detail = "The key would have expired already. Choose a time in the future."
        super().__init__(detail, errors=[{"pointer": "/expiresAt", "detail": detail}])


class TooManyApiKeys(Conflict):
    slug = "too-many-api-keys"
    title = "Too many API keys"

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} valid keys already. Revoke those that are not used any more.")
