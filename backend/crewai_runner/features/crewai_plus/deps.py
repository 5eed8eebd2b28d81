"""FastAPI dependencies of the routes for CrewAI's own tools."""

from typing import Annotated

from fastapi import Depends, Request

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.crewai_plus.errors import EncodingUnknown, TooManySpans
from crewai_runner.features.crewai_plus.otlp import MAX_BODY_BYTES, decompress
from crewai_runner.features.crewai_plus.service import ExternalRunDeps, ExternalRunService
from crewai_runner.http.client_address import get_base_url
from crewai_runner.http.deps import Provided, SessionDep

PROTOBUF = "application/x-protobuf"

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Starter = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]
Sender = Annotated[Principal, Depends(Requires(Scope.TRACES_WRITE))]
_Deps = Annotated[ExternalRunDeps, Depends(Provided(ExternalRunDeps))]


async def _external_runs(session: SessionDep, deps: _Deps) -> ExternalRunService:
    return ExternalRunService(session, deps)


async def _protobuf_body(request: Request) -> bytes:
    """Read the body. Raises TooManySpans above the limit, also when it is decompressed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if kind != PROTOBUF or encoding not in ("identity", "gzip"):
        raise EncodingUnknown(f"Send {PROTOBUF}, plain or with the Content-Encoding gzip.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooManySpans(f"A request may have {MAX_BODY_BYTES:,} bytes; send fewer spans at once.")
        chunks.append(chunk)
    body = b"".join(chunks)
    return decompress(body) if encoding == "gzip" else body


ExternalRuns = Annotated[ExternalRunService, Depends(_external_runs, scope="function")]
BaseUrl = Annotated[str, Depends(get_base_url)]
ProtobufBody = Annotated[bytes, Depends(_protobuf_body)]
