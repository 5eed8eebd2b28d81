"""Models of Amazon Bedrock. Importable only if the `bedrock` extra is installed."""

from typing import Any, ClassVar

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from boto3.session import Session
from botocore.config import Config
from crewai.llms.providers.bedrock.completion import BedrockCompletion
from pydantic import Field, model_validator

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.llm.base import LLMMixin, LLMProfile

limit_json("crewai.llms.providers.bedrock.completion")


class BedrockModel(LLMMixin, BedrockCompletion):
    """CrewAI's Bedrock class with explicit credentials and endpoint.

    No AWS profile, proxy or environment variable is used.
    """

    sends_observed_requests: ClassVar[bool] = False  # botocore has a transport of its own

    profile: LLMProfile = Field(exclude=True, repr=False)
    timeout: float = 120.0
    max_retries: int = 1
    explicit_session_token: str | None = Field(None, exclude=True, repr=False)
    _async_client: Any = None

    @model_validator(mode="after")
    def _init_clients(self) -> "BedrockModel":
        # CrewAI reads a missing token from the environment.
        self.aws_session_token = self.explicit_session_token
        return self

    def _connection(self) -> dict[str, Any]:
        return {
            "region_name": self.region_name,
            "endpoint_url": self.base_url,
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": self.aws_secret_access_key,
            "aws_session_token": self.aws_session_token,
        }

    def _config(self) -> dict[str, Any]:
        retries = {"total_max_attempts": self.max_retries + 1, "mode": "standard"}
        return {"read_timeout": self.timeout, "retries": retries, "proxies": {}}

    def _build_sync_client(self) -> Any:
        return Session().client("bedrock-runtime", config=Config(**self._config()), **self._connection())

    async def _ensure_async_client(self) -> Any:
        if self._async_client is None:
            client = get_session().create_client(
                "bedrock-runtime", config=AioConfig(**self._config()), **self._connection()
            )
            self._async_client = await client.__aenter__()
            self._async_client_initialized = True
        return self._async_client
