"""What can go wrong with models."""

from collections.abc import Mapping, Sequence

from crewai_runner.core.errors import Conflict, NotFound, Unprocessable


class ModelNotFound(NotFound):
    slug = "model-not-found"
    title = "Model not found"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"There is no model {model_id!r} here. It may have been deleted.")


class ModelNameTaken(Conflict):
    slug = "model-name-taken"
    title = "Model name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a model named {name!r} already; choose another name.")


class ModelBuiltIn(Conflict):
    slug = "model-built-in"
    title = "The built-in model is the server's own"


class ModelInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "model-invalid"
    title = "Model is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])


class ModelNotRegistered(Unprocessable):
    """Lists every missing name with the nearest registered ones, as `missing: [{name, suggestions}]`."""

    slug = "model-not-registered"
    title = "Model is not registered"

    def __init__(self, missing: Mapping[str, Sequence[str]]) -> None:
        self.names = missing
        sentences = [_sentence(name, near) for name, near in missing.items()]
        super().__init__(
            " ".join(sentences),
            missing=[{"name": name, "suggestions": list(near)} for name, near in missing.items()],
        )


def _sentence(name: str, near: Sequence[str]) -> str:
    if not near:
        return f"No model {name!r} is registered; add it at POST /api/models."
    return f"No model {name!r} is registered; did you mean {' or '.join(repr(n) for n in near)}?"
