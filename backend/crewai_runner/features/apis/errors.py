"""Errors of HTTP APIs."""

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class ApiNotFound(NotFound):
    slug = "api-not-found"
    title = "API not found"

    def __init__(self, api_id: str) -> None:
        super().__init__(f"The API {api_id!r} does not exist. It may have been deleted.")


class ApiNameTaken(Conflict):
    slug = "api-name-taken"
    title = "API name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"An API named {name!r} already exists. Choose another name.")


class TooManyApis(Conflict):
    slug = "too-many-apis"
    title = "Too many APIs"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The workspace has {limit} APIs already. Delete some first.")


class ApiInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "api-invalid"
    title = "API is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])
