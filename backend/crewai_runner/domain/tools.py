"""The built-in tools of agents, by name. A workflow refers to tools by name and contains no code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field

from crewai_runner.core.api_model import ApiModel

MAX_WAIT_SECONDS = 60.0


class CalculatorArguments(BaseModel):
    expression: str = Field(description="For example: (2 + 3) * sqrt(16) / 7. Powers are written **.")


class CurrentTimeArguments(BaseModel):
    zone: str | None = Field(None, description="An IANA time zone such as Europe/Berlin; UTC if omitted.")


class HttpGetArguments(BaseModel):
    url: str = Field(description="The full URL, starting with https:// or http://.")


class WaitArguments(BaseModel):
    seconds: float = Field(ge=0, le=MAX_WAIT_SECONDS, description="From 0 to 60.")


class ToolDescription(ApiModel):
    """A built-in tool. `parameters` is a JSON Schema; `network` is true if it contacts other hosts."""

    name: str
    title: str
    description: str = Field(description="What the model reads to decide when to use the tool.")
    parameters: dict[str, Any]
    network: bool = False


ARGUMENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "calculator": CalculatorArguments,
        "current_time": CurrentTimeArguments,
        "http_get": HttpGetArguments,
        "wait": WaitArguments,
    }
)


def _tool(name: str, title: str, description: str, *, network: bool = False) -> ToolDescription:
    parameters = ARGUMENTS[name].model_json_schema()
    return ToolDescription(
        name=name, title=title, description=description, parameters=parameters, network=network
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
                "http_get",
                "Read a web page",
                "Reads a web page or a text or JSON document by its URL and returns its text, shortened.",
                network=True,
            ),
            _tool("wait", "Wait", "Waits for a number of seconds, at most 60."),
        )
    }
)
"""The tools, by name."""


_TOOL_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ScrapeWebsiteTool": ("read_page", "http_get"),
        "ScrapeElementFromWebsiteTool": ("read_page", "http_get"),
        "SerperDevTool": ("web_search",),
        "DuckDuckGoSearchRun": ("web_search",),
        "BraveSearchTool": ("web_search",),
        "TavilySearchTool": ("web_search",),
        "EXASearchTool": ("web_search",),
        "FileReadTool": ("read_file",),
        "FileWriterTool": ("write_file",),
        "DirectoryReadTool": ("list_files",),
        "PDFSearchTool": ("read_pdf",),
        "CSVSearchTool": ("read_table",),
    }
)


def list_replacements(class_name: str) -> tuple[str, ...]:
    """Return the names of tools that do what a tool class of CrewAI does, best first."""
    return _TOOL_CLASSES.get(class_name, ())


def find_tool(text: str) -> str | None:
    """Return the name of the tool with this name or title; case and surrounding space do not count."""
    wanted = text.strip().casefold()
    return next((tool.name for tool in TOOLS.values() if wanted in (tool.name, tool.title.casefold())), None)
