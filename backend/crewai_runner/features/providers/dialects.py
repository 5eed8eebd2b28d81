"""How each type of provider is asked for its models, and how its answers are read. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.aws_signature import signed_headers
from crewai_runner.features.providers.rules import API_VERSION

AZURE_API_VERSION = "2024-10-21"
MOST_MODELS = 5000
LONGEST_WORDS = 300
_BEDROCK_HOST = re.compile(r"bedrock-runtime\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_KEY_REFUSED = re.compile(r"api[ _-]?key", re.IGNORECASE)
_LISTS = ("data", "models", "modelSummaries")
_NAMES = ("id", "name", "modelId", "model")
_WORDS = ("message", "error", "detail", "error_description", "Message", "msg")


@dataclass(frozen=True, slots=True)
class Question:
    """One GET. `lists` False: the answer only tells whether the key is taken, or that somebody is there."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    lists: bool = True


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What to ask, in order; `caveat` says what the answers do not tell.

    `names_are_complete`: whether a model that is not listed is not there. `any_answer_will_do`: the address
    has no question that a key answers.
    """

    questions: Sequence[Question]
    caveat: str = ""
    names_are_complete: bool = True
    any_answer_will_do: bool = False


def dialogue_for(kind: ProviderType, url: str, key: str | None, at: datetime) -> Dialogue:
    """How to find out whether a provider answers, takes the key, and which models it has."""
    match kind:
        case ProviderType.ANTHROPIC:
            headers = {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})
            return Dialogue([Question(f"{url.removesuffix('/v1')}/v1/models?limit=1000", headers)])
        case ProviderType.GEMINI:
            headers = {"x-goog-api-key": key} if key else {}
            return Dialogue([Question(f"{url.removesuffix('/v1beta')}/v1beta/models?pageSize=1000", headers)])
        case ProviderType.AZURE:
            return _azure(url, key)
        case ProviderType.BEDROCK:
            return _bedrock(url, key, at)
        case ProviderType.OPENROUTER:
            # Its list of models is public; only this tells whether the key is a good one.
            questions = [
                Question(f"{url}/key", _bearer(key), lists=False),
                Question(f"{url}/models", _bearer(key)),
            ]
            return Dialogue(questions)
        case _:
            return Dialogue([Question(f"{url}/models", _bearer(key))])


def _bearer(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _azure(url: str, key: str | None) -> Dialogue:
    base = httpx.URL(url)
    version = base.params.get(API_VERSION, AZURE_API_VERSION)
    question = base.copy_with(path="/openai/models", query=None).copy_set_param(API_VERSION, version)
    return Dialogue(
        [Question(str(question), {"api-key": key} if key else {})],
        caveat="Azure lists the models of the region, not your deployments; the first call tries those.",
        names_are_complete=False,
    )


def _bedrock(url: str, key: str | None, at: datetime) -> Dialogue:
    found = _BEDROCK_HOST.fullmatch(httpx.URL(url).host)
    if found is None:
        caveat = "Only the connection was tried: whether the key is taken, the first call will tell."
        return Dialogue([Question(url, lists=False)], caveat, False, any_answer_will_do=True)
    question = f"https://bedrock.{found['region']}.amazonaws.com/foundation-models"
    headers: Mapping[str, str] = {}
    if key:
        key_id, secret, token = (*key.split(":"), None)[:3]
        headers = signed_headers(
            question,
            key_id=str(key_id),
            secret=str(secret),
            token=token,
            region=found["region"],
            service="bedrock",
            at=at,
        )
    caveat = (
        "Amazon lists the models of the region; which of them your account may use, the first call will tell."
    )
    return Dialogue([Question(question, headers)], caveat, names_are_complete=False)


def names_in(body: bytes) -> list[str] | None:
    """The names in a list of models, in any provider's shape; None when it is no such list."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        content = next((content[name] for name in _LISTS if name in content), None)
    if not isinstance(content, list):
        return None
    found = [_name_of(entry) for entry in content[:MOST_MODELS]]
    return list(dict.fromkeys(name for name in found if name))


def _name_of(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    name = next((entry[key] for key in _NAMES if isinstance(entry.get(key), str)), None)
    return name and name.removeprefix("models/")[:500]


def missing_from(listed: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those wanted models that a provider does not list; Ollama's `:latest` may be left out."""
    known = {name.removesuffix(":latest") for name in listed}
    return [name for name in wanted if name.removeprefix("models/").removesuffix(":latest") not in known]


def words_in(body: bytes, content_type: str) -> str:
    """What a provider says in an error body, in one line; empty when it says nothing a person could read."""
    if "html" in content_type:
        return "it answered with a web page"
    try:
        said = _said(json.loads(body))
    except (ValueError, RecursionError):
        said = body.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in " ".join(said.split()))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WORDS else text[: LONGEST_WORDS - 1] + "…"


def _said(content: Any, depth: int = 0) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        return _said(content[0], depth + 1) if depth < 8 else ""
    if isinstance(content, dict) and depth < 8:
        found = (_said(content[name], depth + 1) for name in _WORDS if content.get(name))
        return next(filter(None, found), "")
    return ""


def refuses_key(status: int, words: str) -> bool:
    """Whether an answer means that the key is missing or wrong (Gemini says so with 400)."""
    return status in (401, 403) or (status == 400 and _KEY_REFUSED.search(words) is not None)
