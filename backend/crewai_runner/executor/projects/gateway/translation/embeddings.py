"""Translates requests and answers of embeddings between Gemini's or Ollama's API and OpenAI's."""

from collections.abc import Mapping
from typing import Any

from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol
from crewai_runner.executor.projects.gateway.translation.members import invalid, objects


def embeddings_to_openai(route: Route, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request for `/embeddings`, without the model. Raises GatewayRefusal."""
    if route.protocol is WireProtocol.GEMINI:
        return _gemini_to_openai(route, body)
    texts = body.get("prompt") if route.operation is Operation.EMBED_ONE else body.get("input")
    size = {"dimensions": body["dimensions"]} if body.get("dimensions") else {}
    return {"input": [texts] if isinstance(texts, str) else texts, "encoding_format": "float", **size}


def _gemini_to_openai(route: Route, body: Mapping[str, Any]) -> dict[str, Any]:
    requests = [body] if route.operation is Operation.EMBED_ONE else objects(body.get("requests"), "requests")
    sizes = {one.get("outputDimensionality", one.get("output_dimensionality")) for one in requests} - {None}
    size = {"dimensions": sizes.pop()} if len(sizes) == 1 else {}
    texts = [_text(one.get("content")) for one in requests]
    return {"input": texts, "encoding_format": "float", **size}


def _text(content: Any) -> str:
    parts = objects(content.get("parts") if isinstance(content, Mapping) else None, "content.parts")
    if not parts or not all(isinstance(part.get("text"), str) for part in parts):
        raise invalid("`content.parts`")
    return "\n".join(part["text"] for part in parts)


def embeddings_from_openai(route: Route, asked: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer in the protocol of the code. Raises KeyError and TypeError for what is no answer."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    vectors = [row["embedding"] for row in rows]
    if route.protocol is WireProtocol.GEMINI:
        values = [{"values": vector} for vector in vectors]
        return {"embedding": values[0]} if route.operation is Operation.EMBED_ONE else {"embeddings": values}
    if route.operation is Operation.EMBED_ONE:
        return {"embedding": vectors[0]}
    tokens = (answer.get("usage") or {}).get("prompt_tokens")
    return {"model": asked, "embeddings": vectors, "prompt_eval_count": tokens}
