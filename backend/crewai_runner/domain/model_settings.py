"""The choice of a model, and the settings of its calls."""

from typing import Annotated, Any, Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.field_types import DocumentKey, ModelName


class ModelSettings(ApiModel):
    """How a model is called; what is not set is left to the provider."""

    temperature: float | None = Field(
        None, ge=0, le=2, description="Randomness of the answer, from 0 (deterministic) to 2."
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="Samples from the likeliest tokens that make up this probability."
    )
    max_tokens: Annotated[int | None, DocumentKey(also=("max_completion_tokens",))] = Field(
        None, gt=0, le=10_000_000, description="Maximum length of the answer in tokens."
    )
    timeout_seconds: Annotated[float | None, DocumentKey("timeout", also=("timeout_seconds",))] = Field(
        None, gt=0, le=3600, description="Seconds to wait for an answer."
    )
    max_retries: int | None = Field(None, ge=0, le=10, description="How often a failed call is retried.")
    seed: int | None = Field(
        None, description="The same seed gives similar answers, if the provider supports it."
    )
    stop: Annotated[list[str] | None, DocumentKey(allow_single=True)] = Field(
        None, max_length=16, description="Texts at which the answer ends."
    )
    frequency_penalty: float | None = Field(
        None, ge=-2, le=2, description="Above 0: repeats words less often."
    )
    presence_penalty: float | None = Field(
        None, ge=-2, le=2, description="Above 0: changes to new subjects sooner."
    )
    reasoning_effort: str | None = Field(
        None,
        pattern=r"^[a-z]{1,16}$",
        description="How long a reasoning model thinks: `low`, `medium`, `high`.",
    )
    extra_body: dict[str, Any] | None = Field(
        None, description="Further members of the request body; OpenAI-compatible providers only."
    )

    def over(self, base: "ModelSettings") -> "ModelSettings":
        """Return these settings, completed with those of `base`."""
        return base.model_copy(update=self.model_dump(exclude_none=True, by_alias=False))


OmittableParameter = Literal[
    "stream_options",
    "stop",
    "top_p",
    "temperature",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "parallel_tool_calls",
    "tool_choice",
    "response_format",
    "strict",
]


class RegisteredModelSettings(ModelSettings):
    """The settings of a registered model: those of its calls, and what its requests may contain.

    What is not set is decided by the answers: a parameter that the model refuses is left out from then on.
    """

    stream: bool | None = Field(
        None, description="Whether answers are streamed; null: unless the model refuses it."
    )
    max_tokens_parameter: Literal["max_tokens", "max_completion_tokens"] | None = Field(
        None, description="The name under which `maxTokens` is sent; OpenAI-compatible providers only."
    )
    system_role: Literal["system", "developer", "user"] | None = Field(
        None,
        description="The role of system messages; `user` puts them into the first user message. "
        "OpenAI-compatible providers only.",
    )
    omit_parameters: list[OmittableParameter] | None = Field(
        None,
        max_length=16,
        description="Parameters that are never sent, because the model refuses them.",
    )


class ModelChoice(ApiModel):
    """A registered model by name, with settings for one agent."""

    name: Annotated[ModelName, DocumentKey("model", also=("name",))] = Field(
        title="Model",
        description="The model, by the name it is registered under.",
        json_schema_extra={"x-reference": "model"},
    )
    settings: ModelSettings = Field(default_factory=ModelSettings)
