"""Test principals, and an authenticator whose tokens are their subjects."""

from cryptography.fernet import Fernet

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.db.session import Sessions
from crewai_runner.features.audit.middleware import AuditDeps
from crewai_runner.features.audit.refusals import RefusedAttempts
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.auth.service import AuthDeps, Authenticator
from crewai_runner.wiring.container import Container

OTHER_WORKSPACE = "ws_strangers"

OWNER = Principal("owner", BUILTIN_WORKSPACE, frozenset(Scope))
STRANGER = Principal("stranger", OTHER_WORKSPACE, frozenset(Scope))
CATALOG_READER = Principal(
    "catalog-reader", BUILTIN_WORKSPACE, frozenset({Scope.PROVIDERS_READ, Scope.MODELS_READ})
)
DOCUMENT_READER = Principal("document-reader", BUILTIN_WORKSPACE, frozenset({Scope.WORKFLOWS_READ}))
RUN_READER = Principal("run-reader", BUILTIN_WORKSPACE, frozenset({Scope.RUNS_READ, Scope.WORKFLOWS_READ}))
WITHOUT_SCOPES = Principal("without-scopes", BUILTIN_WORKSPACE, frozenset())
ALL = (OWNER, STRANGER, CATALOG_READER, DOCUMENT_READER, RUN_READER, WITHOUT_SCOPES)


def auth_headers(subject: str) -> dict[str, str]:
    """Request headers that authenticate as the principal with this subject."""
    return {"Authorization": f"Bearer {subject}"}


ANONYMOUS = {"Authorization": ""}
AS_STRANGER = auth_headers(STRANGER.subject)
AS_DOCUMENT_READER = auth_headers(DOCUMENT_READER.subject)


class SubjectAuthenticator:
    """Accepts a principal's subject as its bearer token."""

    def __init__(self, *principals: Principal) -> None:
        self._by_subject = {principal.subject: principal for principal in principals or ALL}

    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        token = (authorization or "").removeprefix("Bearer ")
        if token not in self._by_subject:
            raise InvalidApiKey
        return self._by_subject[token]

    async def find_by_subject(self, subject: str, workspace_id: str) -> Principal | None:
        principal = self._by_subject.get(subject)
        return principal if principal is not None and principal.workspace_id == workspace_id else None


def browser_sessions(container: Container) -> BrowserSessions:
    """Sessions of the test principals in the container's database."""
    return BrowserSessions(container.sessions, container.cipher, "cr_of-these-tests", SubjectAuthenticator())


def auth_deps(authenticator: Authenticator) -> AuthDeps:
    """Dependencies of authentication without a database; no request may have a valid session cookie."""
    cipher = SecretCipher(Fernet.generate_key().decode())
    sessions = BrowserSessions(Sessions(), cipher, "cr_any-key", SubjectAuthenticator())
    return AuthDeps(authenticator, sessions)


def audit_deps() -> AuditDeps:
    """Dependencies of the audit log without a database; nothing is stored."""
    return AuditDeps(Sessions(), RefusedAttempts(Sessions()))
