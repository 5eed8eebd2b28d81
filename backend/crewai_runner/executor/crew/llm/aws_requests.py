"""Sends the requests of Amazon's clients over guarded connections; botocore only signs and parses them.

A handler of the event `before-send` that returns a response replaces botocore's own HTTP client, which would
resolve names again when it connects and read answers of any size.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from aiobotocore.awsrequest import AioAWSResponse
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from crewai_runner.core.answer_limits import AnswerTooLarge, EncodingRefused
from crewai_runner.core.egress import EgressPolicy, guarded_blocking_client, guarded_client

_EVENT = "before-send"


class AwsRequests:
    """Sends the requests of one async client, in the event loop that uses it."""

    def __init__(self, policy: EgressPolicy, timeout: float) -> None:
        self._http = guarded_client(policy, timeout=timeout)

    def attach_to(self, client: Any) -> None:
        client.meta.events.register(_EVENT, self._send)

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, request: Any, **_: Any) -> AioAWSResponse:
        with _as_botocore_errors(request.url):
            response = await self._http.send(_build(self._http, request), stream=True)
            answer = AioAWSResponse(request.url, response.status_code, response.headers, _Body(response))
            if not request.stream_output:
                await answer.content
            return answer


class BlockingAwsRequests:
    """`AwsRequests` for a client without an event loop."""

    def __init__(self, policy: EgressPolicy, timeout: float) -> None:
        self._http = guarded_blocking_client(policy, timeout=timeout)

    def attach_to(self, client: Any) -> None:
        client.meta.events.register(_EVENT, self._send)

    def close(self) -> None:
        self._http.close()

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        with _as_botocore_errors(request.url):
            response = self._http.send(_build(self._http, request), stream=True)
            answer = AWSResponse(request.url, response.status_code, response.headers, _BlockingBody(response))
            if not request.stream_output:
                answer.content  # noqa: B018 - reads and keeps the body
            return answer


class _Body:
    """What aiobotocore reads of a response of aiohttp."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    @property
    def content(self) -> "_Body":
        return self

    async def read(self) -> bytes:
        return await self._response.aread()

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        async for data in self._response.aiter_raw():
            yield data, True

    def close(self) -> None:
        """Do nothing: the connection ends with the iteration, or with the client."""


class _BlockingBody:
    """What botocore reads of a response of urllib3."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def stream(self) -> Iterator[bytes]:
        return self._response.iter_raw()

    def close(self) -> None:
        self._response.close()


def _build(http: httpx.AsyncClient | httpx.Client, request: Any) -> httpx.Request:
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    # The path as it was signed: httpx would encode some characters in another way.
    url = urlsplit(request.url)
    target = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}".encode("ascii")
    return http.build_request(
        request.method, request.url, headers=headers, content=request.body, extensions={"target": target}
    )


@contextlib.contextmanager
def _as_botocore_errors(url: str) -> Iterator[None]:
    """Raise botocore's own errors for lost connections, so that it retries as configured."""
    try:
        yield
    except (AnswerTooLarge, EncodingRefused):
        raise
    except httpx.ConnectTimeout as error:
        raise ConnectTimeoutError(endpoint_url=url, error=error) from error
    except httpx.TimeoutException as error:
        raise ReadTimeoutError(endpoint_url=url, error=error) from error
    except httpx.ConnectError as error:
        raise EndpointConnectionError(endpoint_url=url, error=error) from error
    except httpx.TransportError as error:
        raise ConnectionClosedError(endpoint_url=url, error=error) from error
