"""Requests that tests of the model endpoints share."""

from typing import Any

import httpx

Provider = dict[str, Any]


async def create_model(
    client: httpx.AsyncClient, provider: Provider, name: str, **fields: Any
) -> dict[str, Any]:
    body = {"name": name, "providerId": provider["id"], **fields}
    response = await client.post("/models", json={"model": body})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()["model"]
    return created


async def list_defaults(client: httpx.AsyncClient, kind: str = "llm") -> list[str]:
    models = (await client.get("/models", params={"type": kind})).json()["models"]
    return [model["name"] for model in models if model["default"]]
