"""A server with everything needed to call it, its credentials included."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from crewai_runner.domain.mcp_server import McpAuth, McpEra, get_command_name


@dataclass(frozen=True, slots=True)
class McpServerBinding:
    """`headers` carry the credential. `timeout_seconds` is the deadline of one call of a tool."""

    server_id: str
    slug: str
    url: str
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    era: McpEra | None = None
    """What the server spoke when it was last connected; None: not known."""
    timeout_seconds: float = 60.0

    @property
    def command_name(self) -> str | None:
        """The command that is the server, None for a server in the network."""
        return get_command_name(self.url)

    @property
    def pool_key(self) -> str:
        """Identifies the connection: another address or credential is another connection."""
        parts = [self.server_id, self.url]
        parts += [f"{name}:{value.get_secret_value()}" for name, value in sorted(self.headers.items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make_credential_headers(
    auth: McpAuth, header_name: str | None, credential: SecretStr | None
) -> dict[str, SecretStr]:
    """Return the header that carries a credential; none without one."""
    if credential is None:
        return {}
    if auth in (McpAuth.BEARER, McpAuth.OAUTH):
        return {"authorization": SecretStr(f"Bearer {credential.get_secret_value()}")}
    if auth is McpAuth.HEADER and header_name is not None:
        return {header_name.lower(): credential}
    return {}
