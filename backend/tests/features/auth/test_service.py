"""API keys: the valid one authenticates, all others get the same error."""

import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Scope
from crewai_runner.features.auth.errors import InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.rules import SignInFailureLimiter
from crewai_runner.features.auth.service import AuthService

KEY = "cr_the-right-key"


def service(per_minute: int = 100) -> AuthService:
    return AuthService(KEY, SignInFailureLimiter(per_minute, lambda: 0.0))


class TestAuthenticate:
    @pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} "])
    def test_valid_key_has_every_scope_in_the_builtin_workspace(self, header: str) -> None:
        principal = service().authenticate(header, "a")

        assert (principal.workspace_id, principal.scopes) == (BUILTIN_WORKSPACE, frozenset(Scope))

    @pytest.mark.parametrize(
        "header",
        [None, "", "Bearer", "Bearer ", KEY, f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \udcff", "Bearer é"],
    )
    def test_anything_else_gets_the_same_error(self, header: str | None) -> None:
        with pytest.raises(InvalidApiKey) as raised:
            service().authenticate(header, "a")

        assert raised.value.detail == InvalidApiKey().detail

    def test_many_failures_are_limited_but_the_valid_key_still_works(self) -> None:
        auth = service(per_minute=1)
        with pytest.raises(InvalidApiKey):
            auth.authenticate("Bearer no", "a")

        with pytest.raises(TooManySignInFailures) as raised:
            auth.authenticate("Bearer no", "a")

        assert raised.value.extra["headers"] == {"Retry-After": "60"}
        assert auth.authenticate(f"Bearer {KEY}", "a").subject == "api-key"


class TestCreateAuthService:
    def test_empty_key_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            AuthService("", SignInFailureLimiter(1))
