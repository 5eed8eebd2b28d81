"""Which models and tools a project names, and which packages the models need."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from packaging.version import InvalidVersion, Version

from crewai_runner.core.environment_file import is_environment_example
from crewai_runner.domain.project_inspection.dependencies import CREWAI, Dependencies
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, is_secondary
from crewai_runner.domain.project_inspection.python_module import PythonModule, name_of

MAX_NAMES = 100
_CREWAI = frozenset({"crewai", "crewai_tools"})
_CREW_FILES = frozenset({"crew.jsonc", "crew.json"})
_MODEL_KEYS = frozenset({"llm", "model", "model_name", "manager_llm", "function_calling_llm", "planning_llm"})
_MODEL = re.compile(r"(?:[a-z][a-z0-9_\-]*/)?[A-Za-z0-9][\w.:\-/@]*", re.ASCII)
_FAMILY = re.compile(
    r"(^|/)(gpt-|o[134](-|$)|chatgpt|claude|gemini|gemma|llama|mi[sx]tral|codestral|qwen|deepseek|grok|phi|command-r"
    r"|nova|kimi|glm|granite|nemotron)",
    re.IGNORECASE,
)
_YAML_MODEL = re.compile(
    r"^[ \t]+(?:llm|model)[ \t]*:[ \t]*[\"']?([\w.:\-/@]{2,100})[\"']?[ \t]*(?:#.*)?$", re.MULTILINE
)
_JSON_MODEL = re.compile(
    r"\"(?:llm|model|(?:manager|planning|function_calling)_llm)\"[ \t]{0,9}:[ \t]{0,9}\"([\w.:\-/@]{2,100})\""
)
_EXAMPLE_MODEL = re.compile(
    r"^(?=[A-Z_]{0,100}MODEL)[A-Z_]++[ \t]*+=[ \t]*+[\"']?([\w.:\-/@]{2,100})", re.MULTILINE
)
_PREFIXES = frozenset(
    {
        "openai",
        "anthropic",
        "gemini",
        "google",
        "vertex_ai",
        "groq",
        "ollama",
        "ollama_chat",
        "azure",
        "bedrock",
        "mistral",
        "deepseek",
        "openrouter",
        "cerebras",
        "together_ai",
        "nvidia_nim",
        "huggingface",
        "xai",
        "cohere",
        "fireworks_ai",
        "perplexity",
        "sambanova",
        "watsonx",
        "hosted_vllm",
        "lm_studio",
        "dashscope",
        "snowflake",
    }
)
_NATIVE = frozenset({"openai", "deepseek", "openrouter", "ollama", "cerebras", "hosted_vllm", "dashscope"})
"""Providers that CrewAI 1.0 and later speaks to without another package."""
_EXTRAS = {
    "anthropic": "anthropic",
    "gemini": "google-genai",
    "google": "google-genai",
    "azure": "azure-ai-inference",
    "bedrock": "bedrock",
}
_SDKS = {"anthropic": "anthropic", "google-genai": "google-genai", "azure-ai-inference": "azure-ai-inference",
         "bedrock": "boto3"}  # fmt: skip
_VERSIONS = (*(f"1.{minor}.{patch}" for minor in range(30) for patch in range(31)), "2.0.0")
"""CrewAI versions with native providers, published ones and later ones."""
_FAMILIES = (("claude", "anthropic"), ("gemini", "gemini"))
_TOOL_BASES = frozenset({"BaseTool", "StructuredTool"})


def find_models(sources: ProjectSources) -> list[str]:
    """Return the models that code, YAML and JSON files and `.env.example` name, as written."""
    found: dict[str, None] = {}
    for path, module in sources.modules.items():
        if not is_secondary(path):
            found |= dict.fromkeys(filter(_is_model, _list_model_texts(module)))
    for path, text in sources.texts.items():
        if path.endswith((".yaml", ".yml")):
            found |= dict.fromkeys(filter(_is_model, _YAML_MODEL.findall(text)))
        elif path.endswith((".json", ".jsonc")) and not is_secondary(path):
            found |= dict.fromkeys(filter(_is_model, _JSON_MODEL.findall(text)))
        elif is_environment_example(PurePosixPath(path).name):
            found |= dict.fromkeys(filter(_is_model, _EXAMPLE_MODEL.findall(text)))
    return list(found)[:MAX_NAMES]


def find_tools(sources: ProjectSources) -> list[str]:
    """Return the tools that the code imports from CrewAI's catalogue or defines itself."""
    found: set[str] = set()
    for path, module in sources.modules.items():
        if not is_secondary(path):
            found |= set(_list_tools(module))
    return sorted(found)[:MAX_NAMES]


def uses_crewai(sources: ProjectSources) -> bool:
    """Return whether the code imports CrewAI, or a file defines a crew."""
    imports = any(not _CREWAI.isdisjoint(module.packages) for module in sources.modules.values())
    return imports or any(PurePosixPath(path).name in _CREW_FILES for path in sources.texts)


def list_missing_packages(
    models: Iterable[str], dependencies: Dependencies, *, needs_crewai: bool
) -> list[str]:
    """Return the requirements that the code needs and that are not declared.

    CrewAI 1.0 and later needs another package for the models of most providers.
    """
    if dependencies.find("crewai") is not None:
        return _list_extras(models, dependencies)
    return [CREWAI, *_list_extras(models, dependencies)] if needs_crewai else []


def _list_extras(models: Iterable[str], dependencies: Dependencies) -> list[str]:
    """Return CrewAI with the packages that the models need, one requirement for each package."""
    if not _has_native_providers(dependencies):
        return []
    crewai = dependencies.find("crewai")
    extras = crewai.extras if crewai is not None else set()
    has_litellm = "litellm" in extras or _declares(dependencies, "litellm")
    missing = set()
    for model in models:
        provider = _provider_of(model)
        if provider in _NATIVE or has_litellm:
            continue
        extra = _EXTRAS.get(provider, "litellm")
        if extra not in extras and not _declares(dependencies, _SDKS.get(extra, extra)):
            missing.add(f"crewai[{extra}]")
    return sorted(missing)


def _declares(dependencies: Dependencies, name: str) -> bool:
    return dependencies.find(name) is not None or name in dependencies.locked


def _has_native_providers(dependencies: Dependencies) -> bool:
    """Return whether the project gets CrewAI 1.0 or later, which has no LiteLLM unless it is asked for."""
    try:
        if "crewai" in dependencies.locked:
            return Version(dependencies.locked["crewai"]).major >= 1
    except InvalidVersion:
        return True
    requirement = dependencies.find("crewai")
    return requirement is None or any(
        requirement.specifier.contains(version, prereleases=True) for version in _VERSIONS
    )


def _provider_of(model: str) -> str:
    prefix, slash, _ = model.partition("/")
    if slash and prefix in _PREFIXES:
        return prefix
    return next((provider for family, provider in _FAMILIES if model.lower().startswith(family)), "openai")


def _is_model(text: str) -> bool:
    if len(text) > 100 or _MODEL.fullmatch(text) is None:
        return False
    prefix, slash, _ = text.partition("/")
    if text in _PREFIXES or text.endswith(("/", ".py", ".yaml", ".yml", ".json", ".txt", ".md", ".csv")):
        return False
    return (bool(slash) and prefix in _PREFIXES) or _FAMILY.search(text) is not None


def _list_model_texts(module: PythonModule) -> Iterator[str]:
    """Yield texts that stand where models do: arguments, `LLM("...")`, defaults of `os.getenv`, constants."""
    for call in module.calls:
        function = name_of(call.func)
        texts = [word.value for word in call.keywords if word.arg in _MODEL_KEYS]
        if function == "LLM":
            texts += call.args[:1]
        elif function in {"getenv", "get"}:
            texts += call.args[1:2]
        for expression in texts:
            if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
                yield expression.value
    for node in module.nodes:
        match node:
            case (
                ast.Assign(value=ast.Constant(value=str() as text))
                | ast.AnnAssign(value=ast.Constant(value=str() as text))
            ):
                yield text


def _list_tools(module: PythonModule) -> Iterator[str]:
    for imported in module.imports:
        name = imported.name or ""
        if imported.package in {"crewai_tools", "langchain_community"} and name.endswith(("Tool", "Run")):
            yield name
    for node in module.nodes:
        match node:
            case ast.ClassDef(name=name, bases=bases) if not _TOOL_BASES.isdisjoint(map(name_of, bases)):
                yield name
            case ast.FunctionDef(name=name, decorator_list=decorators) if "tool" in map(name_of, decorators):
                yield name
