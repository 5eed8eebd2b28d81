"""Authorization of endpoints: `Annotated[Principal, Depends(Requires(Scope.X))]`."""

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.auth.service import check_scope


class Requires(SecurityBase):
    """A dependency that returns the authenticated principal. Raises ScopeMissing (403) without the scope.

    It declares the bearer scheme in the OpenAPI document; AuthMiddleware checks the token.
    """

    model = HTTPBearer(description="The API key of this server.")
    scheme_name = "HTTPBearer"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, connection: HTTPConnection) -> Principal:
        principal = connection.scope.get("principal")
        if not isinstance(principal, Principal):
            raise InvalidApiKey
        check_scope(principal, self.scope)
        return principal
