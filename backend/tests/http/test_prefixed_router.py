import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from crewai_runner.core.settings import Settings
from crewai_runner.main import create_app


class TestPrefixedRouter:
    def test_tries_no_routes_of_other_prefixes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        app = create_app(Settings.model_construct())
        tried = []
        matches = APIRoute.matches

        def record(route: APIRoute, scope: Scope) -> tuple[Match, Scope]:
            tried.append(route.path)
            return matches(route, scope)

        monkeypatch.setattr(APIRoute, "matches", record)
        scope: Scope = {"type": "http", "method": "GET", "path": "/api/v1/models/mod_1"}
        found = [route.matches(scope)[0] for route in app.routes]

        assert Match.FULL in found
        assert "/models/{model_id}" in tried
        assert not [path for path in tried if path.startswith(("/workflows", "/providers", "/approvals"))]
        assert len(tried) < 20
