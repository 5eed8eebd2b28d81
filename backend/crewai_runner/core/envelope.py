"""Request bodies that may be sent with or without their wrapping member."""

from collections.abc import Mapping
from typing import Any, Self, cast

from pydantic import ModelWrapValidatorHandler, model_validator

from crewai_runner.core.api_model import ApiModel


class Envelope(ApiModel):
    """A body `{"<name>": {...}}` with one field; the bare inner object is accepted too.

    Pointers of errors follow what was sent: `/<name>/field` or `/field`.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _accept_bare(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        name, field = next(iter(cls.model_fields.items()))
        if not isinstance(value, Mapping) or name in value or field.annotation is None:
            return handler(value)
        envelope = cls.model_construct(**{name: field.annotation.model_validate(value)})
        return cast("Self", envelope)
