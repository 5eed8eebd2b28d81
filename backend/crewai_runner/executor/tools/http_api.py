"""Tools of HTTP APIs that an OpenAPI document describes: the runner that calls them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.openapi import ApiArgument, ArgumentPlace
from crewai_runner.executor.documents.document_reader import DocumentUnreadable, select_json
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tools.http_auth import authorize, forget_token, hide_credentials
from crewai_runner.executor.tools.http_exchange import ServiceAnswer, ServiceRequest, exchange
from crewai_runner.executor.tools.http_request import describe_answer, join_url
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolContext

SECRET = "secret"  # noqa: S105 - the name of the secret among those of a binding
_MAX_HEADER_LENGTH = 4_000


class HttpApiTools:
    """Calls operations of HTTP APIs."""

    async def run(self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        config, stored = binding.config, binding.secrets.get(SECRET)
        secret = "" if stored is None else stored.get_secret_value()
        request = make_request(config, arguments)
        answer, headers = await _send(request, config["auth"], secret, context.egress.connections)
        if config["result_path"] and httpx.codes.is_success(answer.status):
            return hide_credentials(await _select(answer, config["result_path"]), headers)
        return hide_credentials(describe_answer(answer), headers)


async def _send(
    request: ServiceRequest, auth: Mapping[str, Any], secret: str, egress: EgressPolicy
) -> tuple[ServiceAnswer, dict[str, str]]:
    """Send a request; again, with a new token, if the server did not accept the one that was kept."""
    headers = await authorize(request.service, auth, secret, egress)
    answer = await exchange(request.with_headers(headers), egress)
    if answer.status == httpx.codes.UNAUTHORIZED and forget_token(auth, secret):
        headers = await authorize(request.service, auth, secret, egress)
        answer = await exchange(request.with_headers(headers), egress)
    return answer, headers


def make_request(config: Mapping[str, Any], arguments: Mapping[str, Any]) -> ServiceRequest:
    """Return the request of a call, without credentials. Raises ToolCallFailed."""
    path, params, headers, body = config["path"], list[tuple[str, str]](), dict[str, str](), None
    for sent in map(ApiArgument.model_validate, config["arguments"]):
        if sent.argument not in arguments:
            continue
        value = arguments[sent.argument]
        match sent.place:
            case ArgumentPlace.PATH:
                path = path.replace(f"{{{sent.name}}}", _quote_segment(sent.name, _to_text(value)))
            case ArgumentPlace.QUERY:
                params += _list_params(sent, value)
            case ArgumentPlace.HEADER:
                headers[sent.name] = _check_header(sent.name, _to_text(value))
            case ArgumentPlace.BODY:
                body = value
    url = join_url(config["base_url"], path)
    return ServiceRequest(config["api"], config["method"], url, headers, params or None, body)


def _quote_segment(name: str, text: str) -> str:
    # Of /users/{id}/notes, such a segment would make the path of another operation.
    if text in {"", ".", ".."} or not {"/", "\\"}.isdisjoint(text):
        raise ToolCallFailed(
            f"`{name}` is a part of the path: it must not be empty, `.` or `..`, or have slashes."
        )
    return quote(text, safe="")


def _list_params(sent: ApiArgument, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield (f"{sent.name}[{name}]" if sent.is_deep else str(name)), _to_text(inner)
    elif isinstance(value, list) and sent.explode:
        for inner in value:
            yield sent.name, _to_text(inner)
    else:
        yield sent.name, _to_text(value)


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(map(_to_text, value))
    return json.dumps(value)


def _check_header(name: str, text: str) -> str:
    if len(text) > _MAX_HEADER_LENGTH or not all(" " <= character <= "~" for character in text):
        raise ToolCallFailed(f"`{name}` is sent in a header: use one line of ASCII characters.")
    return text


async def _select(answer: ServiceAnswer, path: str) -> str:
    try:
        return await select_json(answer.body, path)
    except DocumentUnreadable as error:
        raise ToolCallFailed(f"The answer could not be reduced to {path}: {error}") from error
