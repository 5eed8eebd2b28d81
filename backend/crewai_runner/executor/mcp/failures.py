"""What goes wrong between this process and an MCP server."""


class McpFailure(Exception):
    """A request to an MCP server failed; the message is for people and models and has no secrets.

    `may_have_run` says that the server may have carried out the request: it must not be sent again.
    """

    def __init__(self, message: str, *, may_have_run: bool = False) -> None:
        super().__init__(message)
        self.may_have_run = may_have_run


class ServerUnreachable(McpFailure):
    """No connection, or an answer that is not one of an MCP server."""


class CredentialsRefused(McpFailure):
    """The server wants other credentials (401, 403)."""


class ServerBusy(McpFailure):
    """The server asks to wait (429, 503). `seconds` is what it asks for."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class SessionEnded(McpFailure):
    """The server no longer knows the session; the request was not carried out."""


class WrongEra(McpFailure):
    """The server does not speak the era that it was addressed in."""


class RequestRejected(McpFailure):
    """The server answered with an error of the protocol. `code` is that of JSON-RPC."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, may_have_run=True)
        self.code = code


class ListTooLarge(McpFailure):
    """The server's list has more pages or entries than are read."""


class ToolChanged(McpFailure):
    """The server describes the tool differently from what a person approved, or no longer offers it."""


class InputRequired(McpFailure):
    """The tool asks for something during a call that it does not get."""
