"""Reads OpenAPI 3 documents into operations that can be tools. Pure.

References inside the document are resolved; other documents are never read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import Field
from referencing import Registry, Specification
from referencing.exceptions import Unresolvable

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.connection import HttpMethod
from crewai_runner.domain.openapi_schemas import SchemaUnusable, convert_schema
from crewai_runner.domain.tool_arguments import check_parameters

MAX_OPERATIONS = 500
MAX_REFERENCES = 20
_MAX_TEXT = 1_000
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
_UNSUPPORTED_HEADERS = frozenset(
    {"accept", "authorization", "content-type", "cookie", "host", "content-length"}
)


class DocumentInvalid(ValueError):
    """The document is not an OpenAPI 3 document; the message says why, for a person."""


class ArgumentPlace(StrEnum):
    """Where an argument is sent."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


class ApiArgument(ApiModel):
    """How one argument of the tool is sent."""

    argument: str
    name: str
    place: ArgumentPlace
    explode: bool
    is_deep: bool


class ApiOperation(ApiModel):
    """An operation of an API. `problem` says why it cannot be a tool; null if it can."""

    id: str = Field(description="Names the tool: `api:NAME/ID`.")
    method: HttpMethod
    path: str
    description: str = Field(description="What the model reads to decide when to use the tool.")
    parameters: dict[str, Any] = Field(description="JSON Schema of the arguments.")
    arguments: list[ApiArgument]
    problem: str | None


@dataclass(frozen=True, slots=True)
class ApiDocument:
    title: str
    version: str
    server_url: str | None
    operations: list[ApiOperation]


@dataclass(slots=True)
class _Members:
    """The arguments of one operation while they are read."""

    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    arguments: list[ApiArgument] = field(default_factory=list)
    definitions: dict[str, Any] = field(default_factory=dict)

    def make_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object", "properties": self.properties}
        if self.required:
            schema["required"] = self.required
        if self.definitions:
            schema["$defs"] = self.definitions
        return schema


def read_document(document: object) -> ApiDocument:
    """Return the operations of a document. Raises DocumentInvalid."""
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise DocumentInvalid(
            "This is not an OpenAPI 3 document: it must be an object with `openapi: 3.x`. Convert a "
            "document of Swagger 2 first."
        )
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise DocumentInvalid("The document has no `paths`, so it describes no operation.")
    information = document.get("info")
    information = information if isinstance(information, dict) else {}
    operations = list(_Reader(document).read(paths))
    if not operations:
        raise DocumentInvalid("The document has no operation with GET, POST, PUT, PATCH or DELETE.")
    return ApiDocument(
        title=str(information.get("title") or "API")[:200],
        version=str(information.get("version") or "")[:50],
        server_url=_read_server(document),
        operations=operations,
    )


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        resource = Specification.OPAQUE.create_resource(document)
        self._resolver = Registry().resolver_with_root(resource)
        self._ids: set[str] = set()

    def read(self, paths: Mapping[str, Any]) -> Iterator[ApiOperation]:
        count = 0
        for path, listed in paths.items():
            item = self._follow(listed)
            if not isinstance(item, dict) or not str(path).startswith("/"):
                continue
            for method in HttpMethod:
                operation = item.get(method.lower())
                if not isinstance(operation, dict):
                    continue
                count += 1
                if count > MAX_OPERATIONS:
                    raise DocumentInvalid(f"The document has more than {MAX_OPERATIONS} operations.")
                yield self._read_operation(str(path), method, item, operation)

    def _read_operation(
        self, path: str, method: HttpMethod, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> ApiOperation:
        members, problem = _Members(), None
        try:
            self._read_parameters(members, item, operation)
            self._read_body(members, operation)
            problem = _find_path_problem(path, members) or check_parameters(members.make_schema())
        except SchemaUnusable as error:
            problem = str(error)
        except Unresolvable as error:
            problem = f"It refers to {error.ref}, which is not in the document."
        texts = [str(operation.get(name) or "").strip() for name in ("summary", "description")]
        description = ". ".join(text.rstrip(".") for text in texts if text) or f"{method} {path}"
        usable = problem is None
        return ApiOperation(
            id=self._make_id(str(operation.get("operationId") or f"{method.lower()}{path}")),
            method=method,
            path=path[:_MAX_TEXT],
            description=description[:_MAX_TEXT],
            parameters=members.make_schema() if usable else {},
            arguments=members.arguments if usable else [],
            problem=None if problem is None else problem[:500],
        )

    def _read_parameters(
        self, members: _Members, item: Mapping[str, Any], operation: Mapping[str, Any]
    ) -> None:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for listed in [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]:
            parameter = self._follow(listed)
            if isinstance(parameter, dict):
                found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        for (place, name), parameter in found.items():
            required = bool(parameter.get("required"))
            if place == "header" and name.lower() in _UNSUPPORTED_HEADERS:
                continue
            if place not in {"path", "query", "header"}:
                if required:
                    raise SchemaUnusable(f"It needs the {place} parameter `{name}`, which tools cannot send.")
                continue
            self._add(members, ArgumentPlace(place), name, parameter, required=required or place == "path")

    def _add(
        self,
        members: _Members,
        place: ArgumentPlace,
        name: str,
        parameter: Mapping[str, Any],
        *,
        required: bool,
    ) -> None:
        argument = name if name not in members.properties else f"{name}_{place}"
        schema = convert_schema(self._read_schema(parameter), self._follow, members.definitions)
        if text := str(parameter.get("description") or "").strip():
            schema = {"description": text[:_MAX_TEXT], **schema}
        members.properties[argument] = schema
        if required:
            members.required.append(argument)
        style = parameter.get("style", "form")
        members.arguments.append(
            ApiArgument(
                argument=argument,
                name=name,
                place=place,
                explode=bool(parameter.get("explode", style in {"form", "deepObject"})),
                is_deep=style == "deepObject",
            )
        )

    def _read_schema(self, parameter: Mapping[str, Any]) -> Any:
        if "schema" in parameter:
            return parameter["schema"]
        content = parameter.get("content")
        if isinstance(content, dict):
            raise SchemaUnusable(
                f"The parameter `{parameter.get('name')}` is sent in a form that tools cannot."
            )
        return {"type": "string"}

    def _read_body(self, members: _Members, operation: Mapping[str, Any]) -> None:
        body = self._follow(operation.get("requestBody"))
        if not isinstance(body, dict):
            return
        content = body.get("content")
        content = content if isinstance(content, dict) else {}
        media = next((one for name, one in content.items() if _is_json(str(name))), None)
        if not isinstance(media, dict):
            if body.get("required"):
                raise SchemaUnusable(f"Its body is not JSON but {', '.join(map(str, content))[:200]}.")
            return
        description = {"description": body.get("description")}
        self._add(
            members,
            ArgumentPlace.BODY,
            "body",
            {"schema": media.get("schema", {}), **description},
            required=bool(body.get("required")),
        )

    def _follow(self, value: Any) -> Any:
        """Return what a reference leads to. Raises Unresolvable, SchemaUnusable."""
        for _ in range(MAX_REFERENCES):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._resolver.lookup(value["$ref"]).contents
        raise SchemaUnusable("Its references refer to each other.")

    def _make_id(self, text: str) -> str:
        wanted = _NOT_IN_IDS.sub("_", text).strip("_")[:100] or "operation"
        name, number = wanted, 2
        while name in self._ids:
            name, number = f"{wanted}_{number}", number + 1
        self._ids.add(name)
        return name


def _is_json(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "*/*", "application/*"} or kind.endswith("+json")


def _find_path_problem(path: str, members: _Members) -> str | None:
    wanted = set(re.findall(r"\{([^{}]*)\}", path))
    known = {one.name for one in members.arguments if one.place is ArgumentPlace.PATH}
    missing = sorted(wanted - known)
    return f"Its path needs `{missing[0]}`, which is not described." if missing else None


def _read_server(document: Mapping[str, Any]) -> str | None:
    servers = document.get("servers")
    server = servers[0] if isinstance(servers, list) and servers else None
    if not isinstance(server, dict) or not isinstance(server.get("url"), str):
        return None
    url, variables = server["url"], server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return str(url)[:2000] or None
