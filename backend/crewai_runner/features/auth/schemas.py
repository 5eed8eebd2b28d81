"""Request and response bodies of browser sessions."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class StartSession(ApiModel):
    remember: bool = Field(
        default=False,
        description="Keep the session for 30 days. Otherwise it ends with the browser, after 7 days at most.",
    )


class StartedSession(ApiModel):
    csrf_token: str = Field(description="Send it as `X-CSRF-Token` with each request that changes something.")
    expires_at: datetime
