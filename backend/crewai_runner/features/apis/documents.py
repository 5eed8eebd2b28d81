"""Downloads and reads OpenAPI documents. No database connection is used."""

import asyncio

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.openapi import ApiDocument, DocumentInvalid, read_document
from crewai_runner.executor.documents.document_reader import DocumentKind, DocumentUnreadable, read_text
from crewai_runner.executor.tools.http_exchange import ServiceRequest, ask_service
from crewai_runner.executor.tools.runner import ToolCallFailed
from crewai_runner.features.apis.errors import ApiInvalid
from crewai_runner.features.apis.schemas import MAX_DOCUMENT_LENGTH, ApiDocumentSource

DOWNLOAD_SECONDS = 10.0
YAML_CPU_SECONDS = 5


async def load_document(source: ApiDocumentSource, egress: EgressPolicy) -> ApiDocument:
    """Return what a document describes. Raises ApiInvalid."""
    pointer = "/document" if source.document is not None else "/url"
    try:
        text = source.document if source.document is not None else await _download(source.url or "", egress)
        value = await _parse(text)
        return await asyncio.to_thread(read_document, value)
    except (DocumentInvalid, DocumentUnreadable, ToolCallFailed) as error:
        raise ApiInvalid(pointer, str(error)) from error
    except TimeoutError:
        raise ApiInvalid(pointer, "The document was not received in time.") from None


async def _download(url: str, egress: EgressPolicy) -> str:
    request = ServiceRequest("The server of the document", "GET", url)
    async with asyncio.timeout(DOWNLOAD_SECONDS):
        return (await ask_service(request, egress)).text


async def _parse(text: str) -> object:
    try:
        value: object = await asyncio.to_thread(parse_json, text)
    except ValueError:
        # YAML, whose parser runs in a process with limits: a few lines can describe gigabytes.
        found = await read_text(
            text.encode(), DocumentKind.YAML, 2 * MAX_DOCUMENT_LENGTH, cpu_seconds=YAML_CPU_SECONDS
        )
        if found.is_cut:
            raise DocumentInvalid("The document is too large.") from None
        try:
            value = await asyncio.to_thread(parse_json, found.text)
        except ValueError:
            raise DocumentInvalid("The document is nested too deeply.") from None
    return value
