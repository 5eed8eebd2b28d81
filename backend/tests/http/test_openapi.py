"""Consistency of the OpenAPI document."""

import json
import re
from pathlib import Path

from crewai_runner.main import openapi_text

STORED = (Path(__file__).parents[2] / "openapi.json").read_text()


class TestOpenApi:
    def test_stored_document_is_up_to_date(self) -> None:
        assert openapi_text() == STORED, "run 'make openapi client' and commit both files"

    def test_references_exist_and_schema_names_are_unique(self) -> None:
        schemas = json.loads(STORED)["components"]["schemas"]

        referenced = set(re.findall(r'"#/components/schemas/([^"]+)"', STORED))

        assert referenced - set(schemas) == set()
        # Pydantic prefixes the module path when two classes have the same name.
        assert [name for name in schemas if "__" in name] == []

    def test_operation_ids_are_unique_and_well_formed(self) -> None:
        paths = json.loads(STORED)["paths"]

        ids = [operation["operationId"] for path in paths.values() for operation in path.values()]

        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z]+:[a-z_]+", name) for name in ids)
