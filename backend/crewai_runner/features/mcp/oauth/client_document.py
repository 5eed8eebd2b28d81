"""The document that describes this server to authorization servers (client ID metadata document).

Its address is the client ID, so nothing has to be registered; authorization servers read it without
credentials, over https.
"""

from pydantic import BaseModel, Field

CLIENT_NAME = "CrewAI Runner"
CALLBACK_PATH = "/tools/mcp/callback"
"""The dashboard's page to which authorization servers send browsers."""
DOCUMENT_PATH = "/mcp/client-metadata"
"""Below the address of the API."""


class McpClientDocument(BaseModel):
    """This server as an OAuth client; the names of the members are those of RFC 7591."""

    client_id: str = Field(description="The address of this document.")
    client_name: str
    client_uri: str
    redirect_uris: list[str]
    grant_types: list[str]
    response_types: list[str]
    token_endpoint_auth_method: str


def find_document_url(public_url: str, api_base_url: str) -> str | None:
    """Return where others read the document; None if this server has no https address."""
    return f"{public_url}{api_base_url}{DOCUMENT_PATH}" if public_url.startswith("https://") else None


def make_client_document(document_url: str, public_url: str) -> McpClientDocument:
    return McpClientDocument(
        client_id=document_url,
        client_name=CLIENT_NAME,
        client_uri=public_url,
        redirect_uris=[f"{public_url}{CALLBACK_PATH}"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",  # noqa: S106 - the name of a method
    )
