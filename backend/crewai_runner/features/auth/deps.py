"""Authorization of endpoints: `Annotated[Principal, Depends(Requires(Scope.X))]`."""

from fastapi import Security
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.errors import InvalidApiKey, ScopeMissing

# Declares the scheme in the OpenAPI document; AuthMiddleware checks the token.
BearerScheme = Security(HTTPBearer(auto_error=False, description="The API key of this server."))


class Requires:
    """A dependency that returns the authenticated principal. Raises ScopeMissing (403) without the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, connection: HTTPConnection) -> Principal:
        principal = connection.scope.get("principal")
        if not isinstance(principal, Principal):
            raise InvalidApiKey
        if not principal.has_scope(self.scope):
            raise ScopeMissing(f"This requires the scope {self.scope}.", scope=str(self.scope))
        return principal
