"""A router that rejects paths outside of its prefix before it looks at its routes."""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class PrefixedRouter(APIRouter):
    """FastAPI tries all routes of all routers in turn, and those of an included router once per level.

    The full prefix is known only to the router that includes this one. A path that contains this router's own
    prefix nowhere cannot match any of its routes.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if self.prefix not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)
