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


class TaskUnknown(Unprocessable):
    slug = "task-unknown"
    title = "No such task"
