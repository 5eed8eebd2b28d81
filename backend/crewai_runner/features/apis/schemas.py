"""API schemas of HTTP APIs."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText
from crewai_runner.domain.connection import HttpMethod
from crewai_runner.domain.openapi import ApiOperation

MAX_DOCUMENT_LENGTH = 2_000_000
MAX_CHOSEN = 100
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
OperationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
JsonPath = Annotated[StorableText, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
DOCUMENT_DESCRIPTION = "An OpenAPI 3 document as JSON or YAML."
WebAddress = Annotated[StorableText, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class ApiDocumentSource(ApiModel):
    """A document, or the address that it is downloaded from; exactly one of them."""

    document: StorableText | None = Field(
        None, max_length=MAX_DOCUMENT_LENGTH, description=DOCUMENT_DESCRIPTION
    )
    url: WebAddress | None = Field(None, description="http or https; redirects are not followed.")

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.document is None) == (self.url is None):
            raise ValueError("Send either `document` or `url`.")
        return self


class ApiPreview(ApiModel):
    """What a document describes. Nothing is stored."""

    title: str
    version: str
    server_url: str | None = Field(description="The address of the API, if the document names one.")
    operations: list[ApiOperation]


class ApiCreate(ApiDocumentSource):
    name: Slug = Field(description="Names the tools: `api:NAME/OPERATION`.")
    operations: list[OperationId] = Field(
        min_length=1, max_length=MAX_CHOSEN, description="The ids of the operations that become tools."
    )
    connection_id: str | None = Field(
        None,
        max_length=64,
        description="A connection of kind `http`, whose address, methods and credentials are used.",
    )
    base_url: WebAddress | None = Field(
        None, description="Without a connection: the address, by default the one that the document names."
    )
    result_paths: dict[OperationId, JsonPath] = Field(
        default_factory=dict,
        max_length=MAX_CHOSEN,
        description="JSONPaths (RFC 9535) that reduce what an operation answers, by its id.",
    )


class ApiTool(ApiModel):
    tool: str = Field(description="As workflows name it.")
    method: HttpMethod
    path: str
    description: str
    result_path: str | None


class ApiRead(ApiModel):
    id: str
    name: str
    title: str
    document_version: str
    base_url: str | None = Field(description="null: that of the connection.")
    connection_id: str | None
    tools: list[ApiTool]
    created_at: datetime
    version: int


class ApiAnswer(ApiModel):
    api: ApiRead


class ApiList(ApiModel):
    apis: list[ApiRead]
