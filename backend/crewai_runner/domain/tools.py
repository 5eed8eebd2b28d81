"""The built-in tools of agents, by name. A workflow refers to tools by name and contains no code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.connection import ConnectionPurpose, HttpMethod

MAX_WAIT_SECONDS = 60.0


class CalculatorArguments(BaseModel):
    expression: str = Field(description="For example: (2 + 3) * sqrt(16) / 7. Powers are written **.")


class CurrentTimeArguments(BaseModel):
    zone: str | None = Field(None, description="An IANA time zone such as Europe/Berlin; UTC if omitted.")


class HttpGetArguments(BaseModel):
    url: str = Field(description="The full URL, starting with https:// or http://.")


class ReadPageArguments(BaseModel):
    url: str = Field(max_length=2048, description="The full URL, starting with https:// or http://.")
    start: int = Field(0, ge=0, description="The first character to show; 0 is the beginning.")


class WaitArguments(BaseModel):
    seconds: float = Field(ge=0, le=MAX_WAIT_SECONDS, description="From 0 to 60.")


class WebSearchArguments(BaseModel):
    query: str = Field(min_length=1, max_length=400, description="What to search for, as one would type it.")
    max_results: int = Field(8, ge=1, le=20, description="From 1 to 20.")


class HttpRequestArguments(BaseModel):
    connection: str | None = Field(
        None, description="The connection to use; not needed if there is only one."
    )
    method: HttpMethod = Field(HttpMethod.GET, description="The connection says which are allowed.")
    path: str = Field(
        "", max_length=4000, description="Below the connection's address, with the query: `items?limit=5`."
    )
    body: str | None = Field(None, description="JSON to send.")


class PostMessageArguments(BaseModel):
    connection: str | None = Field(
        None, description="The connection to use; not needed if there is only one."
    )
    text: str = Field(min_length=1, max_length=4000, description="The message.")


class QuerySqlArguments(BaseModel):
    connection: str | None = Field(
        None, description="The connection to use; not needed if there is only one."
    )
    query: str = Field(
        min_length=1,
        max_length=20_000,
        description="One SELECT of PostgreSQL. `information_schema.columns` says which tables there are.",
    )
    max_rows: int = Field(100, ge=1, le=500, description="From 1 to 500.")


class SendEmailArguments(BaseModel):
    connection: str | None = Field(
        None, description="The connection to use; not needed if there is only one."
    )
    to: list[str] = Field(min_length=1, max_length=20, description="The addresses of the recipients.")
    subject: str = Field(min_length=1, max_length=200, description="One line.")
    text: str = Field(min_length=1, max_length=100_000, description="The email as plain text.")


_Path = Annotated[
    str, Field(min_length=1, max_length=200, description="Path in the run, such as data/a.csv.")
]
_Start = Annotated[int, Field(ge=0, description="The first character to show; 0 is the beginning.")]


class ListFilesArguments(BaseModel):
    folder: str = Field("", max_length=200, description="Only files in this folder; all if empty.")


class ReadFileArguments(BaseModel):
    path: _Path
    start: _Start = 0


class WriteFileArguments(BaseModel):
    path: _Path
    content: str = Field(max_length=2_000_000, description="The text of the file.")
    append: bool = Field(False, description="Adds to the end of the file instead of replacing it.")


class ReadTableArguments(BaseModel):
    path: _Path
    sheet: str | None = Field(None, max_length=200, description="Name of a workbook's sheet; the first one.")
    first_row: int = Field(1, ge=1, le=10_000_000, description="The first row to show, from 1.")
    max_rows: int = Field(100, ge=1, le=500, description="From 1 to 500.")


class SearchKnowledgeArguments(BaseModel):
    query: str = Field(min_length=1, max_length=1000, description="What to find out.")


class ToolDescription(ApiModel):
    """A built-in tool. `parameters` is a JSON Schema; `network` is true if it contacts other hosts."""

    name: str
    title: str
    description: str = Field(description="What the model reads to decide when to use the tool.")
    parameters: dict[str, Any]
    network: bool = False
    writes: bool = Field(False, description="Whether a call sends or changes something outside of the run.")
    purpose: ConnectionPurpose | None = Field(None, description="What connection it needs; null for none.")


ARGUMENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "calculator": CalculatorArguments,
        "current_time": CurrentTimeArguments,
        "http_get": HttpGetArguments,
        "http_request": HttpRequestArguments,
        "list_files": ListFilesArguments,
        "post_message": PostMessageArguments,
        "query_sql": QuerySqlArguments,
        "read_file": ReadFileArguments,
        "read_page": ReadPageArguments,
        "read_pdf": ReadFileArguments,
        "read_table": ReadTableArguments,
        "search_knowledge": SearchKnowledgeArguments,
        "send_email": SendEmailArguments,
        "wait": WaitArguments,
        "web_search": WebSearchArguments,
        "write_file": WriteFileArguments,
    }
)


def _tool(
    name: str,
    title: str,
    description: str,
    *,
    network: bool = False,
    writes: bool = False,
    purpose: ConnectionPurpose | None = None,
) -> ToolDescription:
    return ToolDescription(
        name=name,
        title=title,
        description=description,
        parameters=ARGUMENTS[name].model_json_schema(),
        network=network or purpose is not None,
        writes=writes,
        purpose=purpose,
    )


TOOLS: Mapping[str, ToolDescription] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            _tool(
                "calculator",
                "Calculator",
                "Calculates an arithmetic expression exactly: + - * / // % **, brackets, pi, e, abs, round, "
                "min, max, sqrt, floor, ceil, exp, log, log10, sin, cos, tan.",
            ),
            _tool("current_time", "Current time", "Gives the current date, weekday and time in a time zone."),
            _tool(
                "read_page",
                "Read a web page",
                "Reads a web page by its URL and returns its main text as Markdown, without menus and "
                "advertisements. Long pages are shown in parts.",
                network=True,
            ),
            _tool(
                "http_get",
                "Fetch a document",
                "Fetches a text or JSON document by its URL and returns it unchanged, shortened. Of a web "
                "page it returns all visible text.",
                network=True,
            ),
            _tool(
                "web_search",
                "Web search",
                "Searches the web and returns titles, addresses and excerpts of pages. Read a page with "
                "another tool if the excerpt is not enough.",
                purpose=ConnectionPurpose.SEARCH,
            ),
            _tool(
                "http_request",
                "HTTP request",
                "Sends a request to an HTTP API for which a connection is set up, and returns its answer.",
                writes=True,
                purpose=ConnectionPurpose.HTTP,
            ),
            _tool(
                "post_message",
                "Post a message",
                "Posts a message to a channel of Slack, Microsoft Teams or Discord.",
                writes=True,
                purpose=ConnectionPurpose.MESSAGES,
            ),
            _tool(
                "query_sql",
                "Query a database",
                "Reads a PostgreSQL database with one SELECT and returns columns and rows as JSON. It cannot "
                "change anything.",
                purpose=ConnectionPurpose.DATABASE,
            ),
            _tool(
                "send_email",
                "Send an email",
                "Sends an email as plain text to recipients that the connection allows.",
                writes=True,
                purpose=ConnectionPurpose.EMAIL,
            ),
            _tool("list_files", "List files", "Lists the files of the run with their sizes."),
            _tool("read_file", "Read a file", "Reads a text file of the run."),
            _tool(
                "write_file",
                "Write a file",
                "Writes a text file of the run, which people can download. Replaces one with the same path.",
            ),
            _tool("read_pdf", "Read a PDF", "Reads the text of a PDF file of the run."),
            _tool("read_table", "Read a table", "Reads rows of a CSV file or an Excel workbook of the run."),
            _tool(
                "search_knowledge",
                "Search the knowledge",
                "Finds what the knowledge files of this workflow say about a question.",
            ),
            _tool("wait", "Wait", "Waits for a number of seconds, at most 60."),
        )
    }
)
"""The tools, by name."""
FILE_TOOLS = frozenset({"list_files", "read_file", "read_pdf", "read_table", "write_file"})
"""Those that read or write the files of the run."""


def find_tool(text: str) -> str | None:
    """Return the name of the tool with this name or title; case and surrounding space do not count."""
    wanted = text.strip().casefold()
    return next((tool.name for tool in TOOLS.values() if wanted in (tool.name, tool.title.casefold())), None)
