"""Packages that a project imports and does not declare: only those whose names are known are added."""

import ast
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.domain.project_inspection.project_sources import ProjectSources
from crewai_runner.domain.project_inspection.python_module import ImportedName, PythonModule, name_of

_SAME_NAME = (
    "agentops arxiv boto3 chromadb duckduckgo_search ddgs exa_py feedparser jinja2 lxml markdown matplotlib"
    " networkx nltk notion_client openpyxl pandas pdfplumber plotly praw psycopg pymongo pypdf PyPDF2 pytube"
    " qdrant_client redis reportlab selenium slack_sdk sqlalchemy tabulate tiktoken tweepy wikipedia yfinance"
    " youtube_search youtube_transcript_api yt_dlp"
    " langchain langchain_anthropic langchain_community langchain_core langchain_experimental"
    " langchain_google_genai langchain_groq langchain_ollama langchain_openai langchain_text_splitters"
    " langgraph"
)
_PACKAGES = {name: name.replace("_", "-").lower() for name in _SAME_NAME.split()} | {
    "bs4": "beautifulsoup4",
    "crewai_tools": "crewai-tools",
    "docx": "python-docx",
    "firecrawl": "firecrawl-py",
    "fitz": "pymupdf",
    "fpdf": "fpdf2",
    "git": "gitpython",
    "github": "pygithub",
    "google_auth_oauthlib": "google-auth-oauthlib",
    "googleapiclient": "google-api-python-client",
    "jose": "python-jose",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "tavily": "tavily-python",
}
"""Packages by the name they are imported under. A name that is not here is never installed: it could be
anyone's. Large ones, such as those that need torch, are left to the project's own declaration."""


def find_undeclared(sources: ProjectSources, path: str, dependencies: Dependencies) -> list[str]:
    """Return the known packages that an entry point's modules need and the project does not declare."""
    # The index may have another package with the name of one that the project takes from elsewhere.
    elsewhere = dependencies.unavailable
    declared: set[str] = {canonicalize_name(name) for name in (*dependencies.locked, *elsewhere)}
    for line in dependencies.requirements:
        requirement = Requirement(line)
        declared |= {canonicalize_name(requirement.name)}
        if requirement.name == "crewai":
            declared |= {f"crewai-{extra}" for extra in requirement.extras}
    missing: set[str] = set()
    for reached in sources.list_reachable(path) if path in sources.modules else []:
        for imported in _list_needed(sources.modules[reached]):
            package = _PACKAGES.get(imported.package)
            if package is None or package in declared or package in missing:
                continue
            if sources.resolve(imported, reached) is None:
                missing.add(package)
    return sorted(missing)


def _list_needed(module: PythonModule) -> Iterator[ImportedName]:
    """Yield the imports of a file, without those that may fail and those for type checkers."""
    for node in _walk(module.tree.body):
        match node:
            case ast.Import(names=names):
                yield from (ImportedName(alias.name) for alias in names)
            case ast.ImportFrom(module=str() as name, names=names, level=0):
                yield from (ImportedName(name, alias.name) for alias in names)


def _walk(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Try) or (isinstance(node, ast.If) and name_of(node.test) == "TYPE_CHECKING"):
            continue
        yield node
        if isinstance(node, ast.stmt):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
