"""Errors of starting, stopping and resuming runs."""

from crewai_runner.core.errors import TooLarge, Unprocessable


class DefinitionInvalid(Unprocessable):
    """The workflow cannot run; `errors` and `problems` say why, all at once."""

    slug = "definition-invalid"
    title = "The workflow is not valid"


class NoModel(Unprocessable):
    slug = "no-model"
    title = "No model available"


class NoEmbedder(Unprocessable):
    slug = "no-embedder"
    title = "No embedder available"


class ProviderConfigNeeded(Unprocessable):
    slug = "provider-config-needed"
    title = "The run's provider configuration is no longer available"


class ProviderConfigNotHere(Unprocessable):
    """The configuration is kept in memory, and this process does not run the run."""

    slug = "provider-config-not-here"
    title = "This process does not accept a provider configuration"

    def __init__(self) -> None:
        super().__init__(
            "`providerConfig` is kept in the memory of the process that receives it, and this one (ROLE=api) "
            "does not run crews. Register the provider at POST /api/providers and name its model."
        )


class TaskUnknown(Unprocessable):
    slug = "task-unknown"
    title = "No such task"


class RunFilesRefused(Unprocessable):
    """Files cannot be attached to a run; `errors` names the file, if one of them is the reason."""

    slug = "run-files-refused"
    title = "Files cannot be attached"


class RunFilesTooLarge(TooLarge):
    slug = "run-files-too-large"
    title = "Files too large"
