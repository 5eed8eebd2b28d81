"""API keys: the valid one authenticates, all others get the same error."""

import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Scope
from crewai_runner.db.session import Sessions
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.errors import InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.service import AuthService
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter

KEY = "cr_the-right-key"


def service(per_minute: int = 100) -> AuthService:
    return AuthService(KEY, MemorySignInLimiter(per_minute, lambda: 0.0), Credentials(Sessions()))


class TestAuthenticate:
    @pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} "])
    async def test_valid_key_has_every_scope_in_the_builtin_workspace(self, header: str) -> None:
        principal = await service().authenticate(header, "a")

        assert (principal.workspace_id, principal.scopes) == (BUILTIN_WORKSPACE, frozenset(Scope))

    @pytest.mark.parametrize(
        "header",
        [None, "", "Bearer", "Bearer ", KEY, f"Basic {KEY}", f"Bearer {KEY}x", "Bearer \udcff", "Bearer é"],
    )
    async def test_anything_else_gets_the_same_error(self, header: str | None) -> None:
        with pytest.raises(InvalidApiKey) as raised:
            await service().authenticate(header, "a")

        assert raised.value.detail == InvalidApiKey().detail

    async def test_after_many_failures_no_key_is_compared(self) -> None:
        auth = service(per_minute=1)
        with pytest.raises(InvalidApiKey):
            await auth.authenticate("Bearer no", "192.0.2.1")

        for token in ("no", KEY):
            with pytest.raises(TooManySignInFailures) as raised:
                await auth.authenticate(f"Bearer {token}", "192.0.2.1")

            assert raised.value.extra["headers"] == {"Retry-After": "60"}
        assert (await auth.authenticate(f"Bearer {KEY}", "192.0.2.2")).subject == "api-key"

    async def test_an_ipv6_client_cannot_change_its_address_within_its_network(self) -> None:
        auth = service(per_minute=1)
        with pytest.raises(InvalidApiKey):
            await auth.authenticate("Bearer no", "2001:db8:1:2::1")

        with pytest.raises(TooManySignInFailures):
            await auth.authenticate(f"Bearer {KEY}", "2001:db8:1:2:ffff::9")
        assert (await auth.authenticate(f"Bearer {KEY}", "2001:db8:1:3::1")).subject == "api-key"

    @pytest.mark.parametrize("header", [None, "", "Bearer ", "Basic dXNlcjpwYXNz"])
    async def test_a_request_without_a_token_is_not_a_failed_sign_in(self, header: str | None) -> None:
        auth = service(per_minute=1)
        for _ in range(3):
            with pytest.raises(InvalidApiKey):
                await auth.authenticate(header, "192.0.2.1")

        assert (await auth.authenticate(f"Bearer {KEY}", "192.0.2.1")).subject == "api-key"


class TestCreateAuthService:
    def test_empty_key_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            AuthService("", MemorySignInLimiter(1), Credentials(Sessions()))
