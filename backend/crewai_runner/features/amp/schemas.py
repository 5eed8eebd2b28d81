"""Request and response schemas of the run API, with the names of CrewAI AMP."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SecretStr

from crewai_runner.core.text import JsonObject, check_storable

MAX_URL_LENGTH = 2048
MAX_META = 50


def _empty_for_null(value: object) -> object:
    return {} if value is None else value


def _check_header(token: SecretStr) -> SecretStr:
    if not all("\x21" <= character <= "\x7e" for character in token.get_secret_value()):
        raise ValueError("must be printable ASCII characters without spaces")
    return token


class AmpModel(BaseModel):
    """A schema with AMP's own names. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)


WebhookUrl = Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH), AfterValidator(check_storable)]
Values = Annotated[JsonObject, BeforeValidator(_empty_for_null)]
_Token = Annotated[SecretStr, Field(min_length=1, max_length=4096), AfterValidator(_check_header)]


class BearerAuthentication(AmpModel):
    strategy: Literal["bearer"]
    token: _Token


class EventStream(AmpModel):
    """The events of an execution, sent to one address."""

    events: list[str] = Field(min_length=1, max_length=100, description="Names of CrewAI's events.")
    url: WebhookUrl
    realtime: bool = Field(False, description="Send each event at once, not several together.")
    authentication: BearerAuthentication | None = None


class WebhookUrls(AmpModel):
    """Addresses that are called during the execution."""

    task_webhook_url: WebhookUrl | None = Field(
        None, alias="taskWebhookUrl", description="After each task, and when a task waits for feedback."
    )
    step_webhook_url: WebhookUrl | None = Field(
        None, alias="stepWebhookUrl", description="After each use of a tool and each answer of an agent."
    )
    crew_webhook_url: WebhookUrl | None = Field(
        None, alias="crewWebhookUrl", description="When the execution ends."
    )


class Kickoff(WebhookUrls):
    """Starts an execution of the workflow or project."""

    inputs: Values = Field(default_factory=dict, description="A value for each input.")
    meta: Values = Field(
        default_factory=dict,
        max_length=MAX_META,
        description="Returned in every webhook, and stored as metadata.",
    )
    webhooks: EventStream | None = Field(None, description="Sends the events of the execution.")


class Resume(WebhookUrls):
    """Feedback for a task that waits for it. Addresses of the kickoff that are not sent again are kept."""

    execution_id: str = Field(max_length=64, description="The `kickoff_id`.")
    task_id: str = Field(max_length=200, description="The name of the task that waits.")
    human_feedback: Annotated[str, AfterValidator(check_storable)] = Field("", max_length=100_000)
    is_approve: bool = Field(description="true: accept the output. false: the agent revises it.")


class AutomationInputs(AmpModel):
    inputs: list[str] = Field(description="Names of the inputs.")


class KickoffAnswer(AmpModel):
    kickoff_id: str


class ResumeAnswer(AmpModel):
    status: Literal["resumed"] = "resumed"
    message: str = "Execution resumed successfully."


class Progress(AmpModel):
    completed_tasks: int
    total_tasks: int


class ExecutionStatus(AmpModel):
    """An execution in AMP's words."""

    kickoff_id: str
    state: Literal["PENDING", "STARTED", "RUNNING", "SUCCESS", "FAILED"]
    status: Literal["pending", "running", "awaiting_human_feedback", "awaiting_budget", "completed", "error"]
    progress: Progress
    current_task: str | None = Field(description="The task that runs or waits for feedback.")
    last_step: dict[str, Any] | None = Field(description="As sent to `stepWebhookUrl`.")
    last_executed_task: dict[str, Any] | None = Field(description="As sent to `taskWebhookUrl`.")
    result: str | None = Field(description="The output as text; the reason after a failure.")
    result_json: JsonValue | None = Field(description="The output of a task with `output_json`.")
    error: str | None
    execution_time: float = Field(description="Seconds.")
    webhook_error: str | None = Field(description="Why the last webhook could not be delivered.")
    source: Literal["database"] = "database"


class StreamTarget(BaseModel):
    """Where events are sent, as stored."""

    url: str
    events: frozenset[str]
    realtime: bool
    token: str | None = None


class WebhookTargets(BaseModel):
    """The addresses of one execution, as stored. They are encrypted: an address can hold a password."""

    task: str | None = None
    step: str | None = None
    crew: str | None = None
    stream: StreamTarget | None = None

    @classmethod
    def of(cls, request: WebhookUrls, stream: EventStream | None = None) -> Self:
        target = None
        if stream is not None:
            authentication = stream.authentication
            token = None if authentication is None else authentication.token.get_secret_value()
            target = StreamTarget(
                url=stream.url, events=frozenset(stream.events), realtime=stream.realtime, token=token
            )
        return cls(
            task=request.task_webhook_url,
            step=request.step_webhook_url,
            crew=request.crew_webhook_url,
            stream=target,
        )

    def list_urls(self) -> list[tuple[str, str]]:
        """Return (field of the request, address) of each target."""
        stream = None if self.stream is None else self.stream.url
        named = {
            "taskWebhookUrl": self.task,
            "stepWebhookUrl": self.step,
            "crewWebhookUrl": self.crew,
            "webhooks/url": stream,
        }
        return [(name, url) for name, url in named.items() if url is not None]

    def updated_by(self, newer: "WebhookTargets") -> "WebhookTargets":
        """Return these targets with those of a later request in their place."""
        return self.model_copy(update={name: value for name, value in newer if value is not None})
