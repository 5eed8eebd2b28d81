"""A workflow that clients of MCP can call."""

from http import HTTPStatus

import httpx
import pytest

from tests.features.mcp_endpoint.mcp_calls import DOCUMENT


@pytest.fixture
async def workflow_id(client: httpx.AsyncClient) -> str:
    response = await client.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})
    assert response.status_code == HTTPStatus.CREATED, response.text
    return str(response.json()["workflow"]["id"])
