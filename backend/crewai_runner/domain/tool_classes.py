"""The tool classes of CrewAI, and the tools that replace them here. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from crewai_runner.domain.tools import TOOLS

_TOOL_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ScrapeWebsiteTool": ("read_page", "http_get"),
        "WebsiteSearchTool": ("read_page", "http_get"),
        "ScrapeElementFromWebsiteTool": ("read_page", "http_get"),
        "SerperDevTool": ("web_search",),
        "SerplyWebSearchTool": ("web_search",),
        "SerpApiGoogleSearchTool": ("web_search",),
        "LinkupSearchTool": ("web_search",),
        "DuckDuckGoSearchTool": ("web_search",),
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


_DIFFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "WebsiteSearchTool": "It returns the text of a page; the agent searches in it.",
        "ScrapeElementFromWebsiteTool": "It returns the main text of a page, not one element.",
        "PDFSearchTool": "It returns the text of a file; the agent searches in it.",
        "CSVSearchTool": "It returns rows of a table; the agent searches in them.",
    }
)


def describe_difference(class_name: str) -> str | None:
    """Return what the tool that replaces a class of CrewAI does differently; None if nothing."""
    return _DIFFERENCES.get(class_name)


def list_replacements(class_name: str) -> tuple[str, ...]:
    """Return the names of tools that do what a tool class of CrewAI does, best first."""
    return _TOOL_CLASSES.get(class_name, ())


def list_replaced_classes(tool: str) -> list[str]:
    """Return the classes of CrewAI that a document may name instead of a tool."""
    return sorted(
        name
        for name, tools in _TOOL_CLASSES.items()
        if tool == next((one for one in tools if one in TOOLS), None)
    )
