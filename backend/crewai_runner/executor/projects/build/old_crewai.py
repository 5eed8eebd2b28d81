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
_BOUND_TO_CREWAI = frozenset({"crewai-tools", "chromadb", "embedchain", "litellm", "openai", "pydantic"})
"""Packages that every CrewAI wants in versions of its own; those of langchain are, too."""


def replace_old_crewai(dependencies: Dependencies) -> Dependencies | None:
    """Return the requirements with a supported CrewAI; None unless they want one from before 0.70."""
    crewai = dependencies.find("crewai")
    if crewai is None or not any(map(_ends_before, crewai.specifier)):
        return None
    requirements = tuple(dict.fromkeys(map(_replace, dependencies.requirements)))
    return replace(dependencies, requirements=requirements, constraints=(), lock=None)


def _ends_before(specifier: Specifier) -> bool:
    """Return whether a specifier allows older versions only."""
    if specifier.operator not in {"==", "~=", "<", "<="}:
        return False
    version = Version(specifier.version.removesuffix(".*"))
    return version < OLDEST or (version == OLDEST and specifier.operator == "<")


def _replace(line: str) -> str:
    requirement = Requirement(line)
    name = canonicalize_name(requirement.name)
    if name == "crewai":
        requirement.specifier = _SUPPORTED
    elif name in _BOUND_TO_CREWAI or name.startswith("langchain"):
        requirement.specifier = SpecifierSet()
    return str(requirement)
