"""An uploaded CrewAI project: what its files say, read without executing them."""

from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import InputDefinition


class ProjectKind(StrEnum):
    """What is executed: a crew class, a `crew.jsonc`, a Flow class, or a function or file."""

    CREW_CLASS = "crew-class"
    CREW_FILE = "crew-file"
    FLOW = "flow"
    SCRIPT = "script"


class EntryPoint(ApiModel):
    """Where the execution of a project starts: a function, a class to build and kick off, or a whole file."""

    kind: ProjectKind
    path: str = Field(description="The file, relative to the project's root: `src/news/main.py`.")
    name: str | None = Field(
        None, description="The function, class or crew object; null: the file itself is run."
    )
    title: str = Field("", description="Shown where the user chooses between entry points.")
    working_directory: str = Field(
        ".",
        description="Where the process starts, relative to the root: where `pyproject.toml` lies, or "
        "beside the file if the code reads files there.",
    )


class ProjectInspection(ApiModel):
    """What reading a project's files has found."""

    kind: ProjectKind
    name: str
    entry_points: list[EntryPoint] = Field(description="The first one is the default.")
    working_directory: str = Field(
        ".", description="Where the dependencies of the first entry point are declared."
    )
    import_paths: list[str] = Field(
        default_factory=lambda: ["."],
        description="The folders that the project's own modules are imported from, relative to the root.",
    )
    inputs: list[InputDefinition] = Field(default_factory=list)
    environment_names: list[str] = Field(
        default_factory=list, description="Environment variables that the code reads."
    )
    models: list[str] = Field(default_factory=list, description="Models that the code names.")
    tools: list[str] = Field(default_factory=list, description="Tools that the code names.")
    python: str | None = Field(None, description="The Python versions wanted: `>=3.10,<3.13`.")
    crewai: str | None = Field(None, description="The CrewAI version wanted, as written: `==0.86.0`.")
    missing_packages: list[str] = Field(
        default_factory=list,
        description="Requirements that the code or the named models need and the project lacks: "
        "`crewai[anthropic]`. Builds add them.",
    )
    compiled_folders: list[str] = Field(
        default_factory=list,
        description="Folders of packages that builds compile, relative to the root: they have extension "
        "modules or build scripts.",
    )
    own_package: str | None = Field(
        None, description="`news-crew==1.2.0`: set if the code reads the version of its own package."
    )
    warnings: list[str] = Field(default_factory=list)
