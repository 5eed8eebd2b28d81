"""Errors of connections."""

from collections.abc import Sequence

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class ConnectionNotFound(NotFound):
    slug = "connection-not-found"
    title = "Connection not found"

    def __init__(self, connection_id: str) -> None:
        super().__init__(f"Connection {connection_id!r} does not exist. It may have been deleted.")


class ConnectionNameTaken(Conflict):
    slug = "connection-name-taken"
    title = "Connection name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A connection named {name!r} already exists. Choose another name.")


class ConnectionInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "connection-invalid"
    title = "Connection is not valid"

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        pointer, detail = errors[0]
        super().__init__(
            f"{pointer}: {detail}",
            errors=[{"pointer": pointer, "detail": detail} for pointer, detail in errors],
        )


class SecretNeededAgain(ConnectionInvalid):
    slug = "secret-needed-again"
    title = "Enter the secret again"

    def __init__(self) -> None:
        detail = (
            "The connection now leads to another address. Enter its key or password again, or null to remove "
            "it: a stored secret is never sent to a new address."
        )
        super().__init__([("/secret", detail)])
