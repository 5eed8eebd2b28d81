"""What can go wrong with starting and steering runs."""

from crewai_runner.core.errors import Unprocessable


class DefinitionInvalid(Unprocessable):
    """The workflow cannot run; `errors` and `problems` say why, all at once."""

    slug = "definition-invalid"
    title = "The workflow is not valid"


class NoModel(Unprocessable):
    slug = "no-model"
    title = "No model to run on"


class ProviderConfigNeeded(Unprocessable):
    slug = "provider-config-needed"
    title = "The run's own provider configuration is gone"


class ProviderConfigNotHere(Unprocessable):
    """This process keeps the configuration in its memory, and runs nothing itself."""

    slug = "provider-config-not-here"
    title = "A provider for one run cannot be given here"

    def __init__(self) -> None:
        super().__init__(
            "`providerConfig` is kept in the memory of the process that takes it, and this one (ROLE=api) "
            "leaves runs to workers. Register the provider at POST /api/providers and name its model."
        )


class TaskUnknown(Unprocessable):
    slug = "task-unknown"
    title = "No such task"
