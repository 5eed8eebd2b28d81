"""Errors of models."""

from collections.abc import Mapping, Sequence

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable
from crewai_runner.executor.model_requirements import ModelProblem


class ModelNotFound(NotFound):
    slug = "model-not-found"
    title = "Model not found"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"Model {model_id!r} does not exist. It may have been deleted.")


class ModelNameTaken(Conflict):
    slug = "model-name-taken"
    title = "Model name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A model named {name!r} already exists. Choose another name.")


class ModelBuiltIn(Conflict):
    slug = "model-built-in"
    title = "Built-in model cannot be deleted"


class ModelInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "model-invalid"
    title = "Model is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])


class ModelUnusable(Unprocessable):
    """A model cannot be called. `problems` has the code of each of `errors`."""

    slug = "model-unusable"
    title = "Model cannot be called"

    def __init__(self, problems: Mapping[str, ModelProblem]) -> None:
        self.by_model = problems
        details = [f"Model `{name}`: {one.message} {one.hint}" for name, one in problems.items()]
        super().__init__(
            " ".join(details),
            errors=[{"pointer": "/workflow", "detail": detail} for detail in details],
            problems=[{"code": one.code} for one in problems.values()],
        )


class ModelNotRegistered(Unprocessable):
    """Lists the missing names with similar registered ones, as `missing: [{name, suggestions}]`."""

    slug = "model-not-registered"
    title = "Model is not registered"

    def __init__(self, missing: Mapping[str, Sequence[str]]) -> None:
        self.names = missing
        super().__init__(
            " ".join(_describe(name, suggestions) for name, suggestions in missing.items()),
            missing=[{"name": name, "suggestions": list(near)} for name, near in missing.items()],
        )


def _describe(name: str, suggestions: Sequence[str]) -> str:
    if not suggestions:
        return f"No model {name!r} is registered; add it with POST /api/models."
    alternatives = " or ".join(repr(suggestion) for suggestion in suggestions)
    return f"No model {name!r} is registered; did you mean {alternatives}?"
