"""A server written with the Python library; runs in an environment of its own, with either line of it."""

import sys
from typing import Annotated

import anyio
from pydantic import BaseModel

try:
    from mcp.server.mcpserver import Context, MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.server.fastmcp.exceptions import ToolError

try:
    from mcp.server.mcpserver import Elicit, Resolve
except ImportError:
    Elicit = Resolve = None

server = MCPServer("example")
events: list[str] = []


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def count(steps: int, ctx: Context) -> str:
    """Count and report progress."""
    for step in range(steps):
        await ctx.report_progress(step + 1, steps)
    return f"counted to {steps}"


@server.tool()
async def wait() -> str:
    """Wait for a minute."""
    try:
        await anyio.sleep(60)
    except BaseException:
        events.append("cancelled")
        raise
    return "waited"


@server.tool()
def list_events() -> str:
    """List what happened."""
    return ",".join(events) or "nothing"


class Size(BaseModel):
    """What a person is asked for."""

    size: int


async def ask_size() -> "Elicit[Size]":
    return Elicit("Which size?", Size)


if Resolve is None:

    @server.tool()
    async def order(ctx: Context) -> str:
        """Order something of a size."""
        answer = await ctx.elicit("Which size?", Size)
        return f"size {answer.data.size}" if answer.action == "accept" else answer.action

else:

    @server.tool()
    async def order(size: Annotated[Size, Resolve(ask_size)]) -> str:
        """Order something of a size."""
        return f"size {size.size}"


@server.resource("text://tea")
def tea() -> str:
    """About tea."""
    return "Green tea."


@server.prompt()
def brew(kind: str) -> str:
    """Brew tea."""
    return f"Brew {kind} tea."


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("it went wrong")


if __name__ == "__main__" and sys.argv[1] == "stdio":
    server.run("stdio")
elif __name__ == "__main__":
    port = int(sys.argv[1])
    try:
        server.run("streamable-http", port=port)
    except TypeError:
        server.settings.port = port
        server.run("streamable-http")
