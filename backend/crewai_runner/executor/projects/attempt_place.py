"""Where an attempt of a project's run executes its code, and the command that does."""

from dataclasses import dataclass

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.egress_policy import EgressPolicy as ProxyPolicy
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.executor.projects.bridge.environment import EnvironmentOptions, build_environment
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment
from crewai_runner.executor.projects.run_folders import RunFolders
from crewai_runner.executor.projects.sandbox.port import Folders, Sandbox, SandboxSpec


@dataclass(frozen=True, slots=True)
class AttemptPlace:
    """Where an attempt runs, and what it may reach."""

    sandbox: Sandbox
    folders: RunFolders
    environment: BuiltEnvironment
    model_egress: EgressPolicy | None
    tool_egress: ProxyPolicy


def build_sandbox_spec(place: AttemptPlace, code: ProjectCode, token: str) -> SandboxSpec:
    """Return the command that runs the entry point; `token` is the only key in its environment."""
    folders = Folders(
        work=place.folders.work,
        environment=place.environment.directory,
        sockets=place.folders.sockets,
    )
    layout = place.sandbox.lay_out(folders, place.environment.interpreter)
    secrets = {name: value.get_secret_value() for name, value in code.secrets.items()}
    options = EnvironmentOptions.of_layout(layout, token, secrets)
    return SandboxSpec(
        (f"{layout.environment}/bin/python", "-m", "crewai_runner_bridge"),
        folders,
        layout,
        environment=build_environment(options),
        directory=f"{layout.work}/{code.entry_point.working_directory}",
        interpreter=place.environment.interpreter,
    )
