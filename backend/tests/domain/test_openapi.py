"""OpenAPI documents become operations with JSON Schemas; hostile ones become problems."""

from typing import Any

import pytest

from crewai_runner.domain.openapi import ApiOperation, DocumentInvalid, read_document
from crewai_runner.domain.tool_arguments import ArgumentsInvalid, check_arguments


def document(
    operation: dict[str, Any], method: str = "get", path: str = "/items", **more: Any
) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "Shop"}, "paths": {path: {method: operation}}, **more}


def read_one(*arguments: Any, **more: Any) -> ApiOperation:
    [operation] = read_document(document(*arguments, **more)).operations
    return operation


def parameter(name: str, place: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": {"type": "string"}, **more}


class TestOperations:
    def test_arguments_come_from_parameters_and_body(self) -> None:
        body = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
        }
        item = {
            "type": "object",
            "properties": {"name": {"type": "string", "nullable": True}},
            "required": ["name"],
        }
        operation = read_one(
            {
                "operationId": "update item!",
                "summary": "Change an item.",
                "parameters": [{"$ref": "#/components/parameters/Id"}, parameter("limit", explode=False)],
                "requestBody": body,
            },
            "put",
            "/items/{id}",
            components={
                "schemas": {"Item": item},
                "parameters": {"Id": parameter("id", "path", required=True)},
            },
        )

        assert operation.problem is None
        assert (operation.id, operation.method, operation.description) == (
            "update_item",
            "PUT",
            "Change an item",
        )
        assert operation.parameters["required"] == ["id", "body"]
        assert operation.parameters["$defs"]["Item"]["properties"]["name"] == {"type": ["string", "null"]}
        assert [(one.argument, str(one.place), one.explode) for one in operation.arguments] == [
            ("id", "path", True),
            ("limit", "query", False),
            ("body", "body", True),
        ]
        checked = {"id": "7", "body": {"name": None}}
        assert check_arguments(checked, operation.parameters) == checked
        with pytest.raises(ArgumentsInvalid):
            check_arguments({"id": "7", "body": {}}, operation.parameters)

    def test_parameters_of_the_path_item_are_inherited_and_replaced(self) -> None:
        item = {"parameters": [parameter("id", "path", required=True)], "get": {}, "delete": {}}
        read = read_document({"openapi": "3.1.0", "paths": {"/items/{id}": item}})

        assert [(one.id, one.problem) for one in read.operations] == [
            ("get_items_id", None),
            ("delete_items_id", None),
        ]

    def test_recursive_schema_is_kept(self) -> None:
        node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
        operation = read_one(
            {"requestBody": {"content": content}}, "post", components={"schemas": {"Node": node}}
        )

        assert operation.problem is None
        assert operation.parameters["$defs"]["Node"]["properties"]["next"] == {"$ref": "#/$defs/Node"}

    def test_bounds_of_version_3_0(self) -> None:
        schema = {"type": "integer", "minimum": 0, "exclusiveMinimum": True}
        operation = read_one({"parameters": [parameter("n", schema=schema)]})

        assert operation.parameters["properties"]["n"] == {"type": "integer", "exclusiveMinimum": 0}

    def test_equal_ids_are_numbered(self) -> None:
        paths = {path: {"get": {"operationId": "same"}} for path in ("/a", "/b")}

        read = read_document({"openapi": "3.1.0", "paths": paths})

        assert [one.id for one in read.operations] == ["same", "same_2"]

    def test_address_with_variables(self) -> None:
        servers = [{"url": "https://{region}.example/v1", "variables": {"region": {"default": "eu"}}}]

        assert read_document(document({}, servers=servers)).server_url == "https://eu.example/v1"

    def test_credentials_are_not_arguments(self) -> None:
        operation = read_one({"parameters": [parameter("Authorization", "header", required=True)]})

        assert operation.arguments == []


class TestHostileDocuments:
    @pytest.mark.parametrize(
        "value",
        [None, [], "text", {}, {"swagger": "2.0"}, {"openapi": "3.0.0"}, {"openapi": "3.0.0", "paths": 7}],
    )
    def test_no_document(self, value: object) -> None:
        with pytest.raises(DocumentInvalid):
            read_document(value)

    @pytest.mark.parametrize(
        "reference",
        ["file:///etc/passwd", "http://169.254.169.254/", "other.yaml#/a", "#/nowhere", "#/paths/~1items"],
    )
    def test_other_documents_are_not_read(self, reference: str) -> None:
        assert read_one(
            {"parameters": [{"$ref": reference}, parameter("a", schema={"$ref": reference})]}
        ).problem

    def test_references_that_refer_to_each_other(self) -> None:
        components = {"parameters": {"A": {"$ref": "#/components/parameters/A"}}}

        operation = read_one({"parameters": [{"$ref": "#/components/parameters/A"}]}, components=components)

        assert operation.problem == "Its references refer to each other."

    def test_references_that_multiply(self) -> None:
        schemas = {
            f"S{n}": {
                "type": "object",
                "properties": {k: {"$ref": f"#/components/schemas/S{n + 1}"} for k in "ab"},
            }
            for n in range(40)
        }
        schemas["S40"] = {"type": "string"}
        first = {"schema": {"$ref": "#/components/schemas/S0"}}

        assert read_one({"parameters": [parameter("a", **first)]}, components={"schemas": schemas}).problem

    def test_too_many_operations(self) -> None:
        paths = {f"/{n}": {"get": {}} for n in range(501)}

        with pytest.raises(DocumentInvalid, match="more than 500"):
            read_document({"openapi": "3.1.0", "paths": paths})

    @pytest.mark.parametrize(
        "operation",
        [
            {"parameters": [parameter("a", "cookie", required=True)]},
            {"requestBody": {"required": True, "content": {"multipart/form-data": {}}}},
            {"parameters": [parameter("a", schema={"type": "object", "patternProperties": {"(a+)+$": {}}})]},
            {"parameters": [parameter("a", schema=[1])]},
        ],
    )
    def test_says_what_tools_cannot_send(self, operation: dict[str, Any]) -> None:
        found = read_one(operation)

        assert found.problem
        assert found.parameters == {}

    def test_missing_path_parameter(self) -> None:
        assert read_one({}, path="/items/{id}").problem == "Its path needs `id`, which is not described."
