"""Projects that want a CrewAI from before 0.70, which the index has lost dependencies of."""

from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from crewai_runner.domain.project_inspection.dependencies import Dependencies

OLDEST = Version("0.70")
"""The oldest version whose runs are tested."""
_SUPPORTED = SpecifierSet(f">={OLDEST},<1")
_BOUND_TO_CREWAI = frozenset(
    {"crewai-tools", "chromadb", "embedchain", "instructor", "litellm", "openai", "pydantic"}
    | {"tiktoken", "tokenizers"}
)
"""Packages that every CrewAI wants in versions of its own; those of langchain are, too."""


def wants_old_crewai(dependencies: Dependencies) -> bool:
    """Return whether the requirements want a CrewAI from before 0.70."""
    crewai = dependencies.find("crewai")
    return crewai is not None and any(map(_ends_before, crewai.specifier))


def replace_old_crewai(dependencies: Dependencies) -> Dependencies | None:
    """Return the requirements with a supported CrewAI; None unless they may want one from before 0.70.

    They may without a version of CrewAI, if one of its packages has a version: `langchain<0.2`.
    """
    crewai = dependencies.find("crewai")
    if crewai is None:
        return None
    has_bound = not crewai.specifier and any(map(_is_bound_to_old, dependencies.requirements))
    if not has_bound and not wants_old_crewai(dependencies):
        return None
    requirements = tuple(dict.fromkeys(map(_replace, dependencies.requirements)))
    return replace(dependencies, requirements=requirements, constraints=(), lock=None)


def _ends_before(specifier: Specifier) -> bool:
    """Return whether a specifier allows older versions only."""
    if specifier.operator not in {"==", "~=", "<", "<="}:
        return False
    version = Version(specifier.version.removesuffix(".*"))
    return version < OLDEST or (version == OLDEST and specifier.operator == "<")


def _is_bound_to_old(line: str) -> bool:
    requirement = Requirement(line)
    return _is_bound_to_crewai(canonicalize_name(requirement.name)) and bool(requirement.specifier)


def _is_bound_to_crewai(name: str) -> bool:
    return name in _BOUND_TO_CREWAI or name.startswith("langchain")


def _replace(line: str) -> str:
    requirement = Requirement(line)
    name = canonicalize_name(requirement.name)
    if name == "crewai":
        requirement.specifier = _SUPPORTED
    elif _is_bound_to_crewai(name):
        requirement.specifier = SpecifierSet()
    return str(requirement)
