"""What a call of the client can raise."""

from typing import Any


class ClientError(Exception):
    """Every error of the client."""


class Unreachable(ClientError):
    """No server answered, also after the retries."""


class WaitTimeout(ClientError):
    """A run did not reach the awaited state in time; it continues."""


class ApiError(ClientError):
    """The server refused a request.

    `problem` is its RFC 9457 document: `title`, `detail`, and for invalid input `errors`, a list of objects
    with `pointer` and `detail`.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        super().__init__(
            str(problem.get("detail") or problem.get("title") or f"The server answered {status}.")
        )

    @property
    def kind(self) -> str:
        """The last part of the problem's type, such as `workflow-not-found`."""
        return str(self.problem.get("type", "")).rsplit("/", 1)[-1]
