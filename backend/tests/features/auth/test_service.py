"""Bearer tokens: the right one is somebody, all others get the same words."""

import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Scope
from crewai_runner.features.auth.errors import InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.rules import SignInFailureLimiter
from crewai_runner.features.auth.service import AuthService

KEY = "cr_the-right-key"


def service(per_minute: int = 100) -> AuthService:
    return AuthService(KEY, SignInFailureLimiter(per_minute, lambda: 0.0))


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} "])
def test_the_right_key_is_the_owner_of_the_builtin_workspace(header: str) -> None:
    principal = service().authenticate(header, "a")

    assert (principal.workspace_id, principal.scopes) == (BUILTIN_WORKSPACE, frozenset(Scope))


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", KEY, f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \udcff", "Bearer é"],
)
def test_everything_else_gets_the_same_words(header: str | None) -> None:
    with pytest.raises(InvalidApiKey) as refused:
        service().authenticate(header, "a")

    assert refused.value.detail == InvalidApiKey().detail


def test_after_many_failures_the_door_is_shut_but_the_key_still_opens_it() -> None:
    auth = service(per_minute=1)
    with pytest.raises(InvalidApiKey):
        auth.authenticate("Bearer no", "a")

    with pytest.raises(TooManySignInFailures) as refused:
        auth.authenticate("Bearer no", "a")

    assert refused.value.extra["headers"] == {"Retry-After": "60"}
    assert auth.authenticate(f"Bearer {KEY}", "a").subject == "api-key"


def test_an_empty_key_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="empty"):
        AuthService("", SignInFailureLimiter(1))
