"""The files around an exported crew: names, `pyproject.toml` and the README."""

import re
import unicodedata

from crewai_runner.domain.workflow import WorkflowDefinition

_CREWAI = "crewai>=1.15,<2"


def slugs(names: list[str]) -> dict[str, str]:
    """A file name's stem for each name: ASCII letters, digits and `_` only, each one once."""
    given: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = slug(name)
        number, candidate = 1, stem
        while candidate in taken:
            number += 1
            candidate = f"{stem}_{number}"
        taken.add(candidate)
        given[name] = candidate
    return given


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()[:60] or "agent"


def pyproject(definition: WorkflowDefinition) -> str:
    return f"""[project]
name = "{slug(definition.name).replace("_", "-") or "crew"}"
version = "0.1.0"
description = "A CrewAI crew"
requires-python = ">=3.10,<3.14"
dependencies = ["{_CREWAI}"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
only-include = ["agents", "crew.jsonc"]

[tool.crewai]
type = "crew"
definition = "crew.jsonc"
"""


def readme(definition: WorkflowDefinition) -> str:
    """How to run it, and what a CrewAI project cannot say."""
    missing = _missing(definition)
    left_out = ["", "## Not part of this project", "", *(f"- {line}" for line in missing)] if missing else []
    lines = [
        f"# {definition.name}",
        "",
        *([definition.description, ""] if definition.description else []),
        "Put the key of your model provider into `.env` (such as `OPENAI_API_KEY=...`), then:",
        "",
        "```bash",
        "crewai run",
        "```",
        *left_out,
        "",
    ]
    return "\n".join(lines)


def _missing(definition: WorkflowDefinition) -> list[str]:
    owners = [(f"agent `{agent.key}`", agent.tools, agent.mcps) for agent in definition.agents]
    owners += [(f"task `{task.key}`", task.tools, []) for task in definition.tasks]
    lines = [f"Tools of {owner}: {', '.join(tools)}." for owner, tools, _ in owners if tools]
    lines += [f"MCP servers of {owner}: {', '.join(mcps)}." for owner, _, mcps in owners if mcps]
    if definition.budget is not None:
        lines.append("The budget: nothing limits what a run spends.")
    if definition.timeout_seconds is not None:
        lines.append(f"The time limit of {definition.timeout_seconds} seconds.")
    return lines
