"""Builds what finds out who is calling: keys, people, sessions, and the issuers at which people sign in."""

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.service import Authenticator, AuthService
from crewai_runner.features.crewai_plus.grants import GrantAuthenticator, TraceGrants
from crewai_runner.features.identities.service import GroupRefresh, IdentityDeps, Issuers
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.features.people.sign_in import PeopleDeps
from crewai_runner.wiring.adapters import make_sign_in_limiter


class Access:
    """The objects of authentication of one process."""

    def __init__(
        self, settings: Settings, sessions: Sessions, cipher: SecretCipher, mask: SecretMask, api_key: str
    ) -> None:
        limiter = make_sign_in_limiter(settings, sessions)
        self.identities = _make_identities(settings, sessions, cipher, mask)
        groups = self.identities.groups
        self.grants = TraceGrants(cipher)
        self.credentials = Credentials(sessions, groups=groups)
        self.authenticator: Authenticator = GrantAuthenticator(
            self.grants, AuthService(api_key, limiter, self.credentials)
        )
        self.browser_sessions = BrowserSessions(sessions, cipher, api_key, self.credentials, groups=groups)
        self.people_deps = PeopleDeps(sessions, cipher, limiter, Passwords(), settings.oidc_issuers)


def _make_identities(
    settings: Settings, sessions: Sessions, cipher: SecretCipher, mask: SecretMask
) -> IdentityDeps:
    for issuer in settings.oidc_issuers:
        for secret in (issuer.client_secret, issuer.client_key):
            # A key has many lines, and a log could quote one.
            for line in () if secret is None else secret.get_secret_value().splitlines():
                if not line.startswith("-----"):
                    mask.add(line.strip())
    issuers = Issuers.create(settings.oidc_issuers, settings.public_url)
    groups = GroupRefresh(sessions, cipher, issuers, settings.oidc_refresh_seconds)
    return IdentityDeps(sessions, cipher, issuers, groups)
