"""A server written with FastMCP that is protected by OAuth; runs in an environment of its own."""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from mcp.server.auth.settings import ClientRegistrationOptions

port = int(sys.argv[1])
auth = InMemoryOAuthProvider(
    base_url=f"http://127.0.0.1:{port}",
    client_registration_options=ClientRegistrationOptions(enabled=True),
)
server = FastMCP("protected", auth=auth)


@server.tool
def whoami() -> str:
    """Say who calls."""
    return "You are authorized."


if __name__ == "__main__":
    server.run("http", host="127.0.0.1", port=port, path="/mcp")
