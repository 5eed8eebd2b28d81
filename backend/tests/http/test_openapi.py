"""The API document is sound in itself."""

import json
import re

from crewai_runner.main import openapi_text


def test_every_reference_leads_somewhere_and_names_are_plain() -> None:
    text = openapi_text()
    schemas = json.loads(text)["components"]["schemas"]

    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', text))

    assert wanted - set(schemas) == set()
    # Two classes of one name would be told apart by their modules' paths.
    assert [name for name in schemas if "__" in name] == []


def test_operation_ids_are_unique_and_read_like_speech() -> None:
    paths = json.loads(openapi_text())["paths"]

    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+:[a-z_]+", name) for name in ids)
