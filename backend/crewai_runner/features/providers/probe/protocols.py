"""The requests that test a connection and list models, by type of provider. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from crewai_runner.domain.provider import AZURE_API_VERSION, ProviderType
from crewai_runner.features.providers.endpoint.provider_endpoint import API_VERSION
from crewai_runner.features.providers.probe.aws_signature import build_signed_headers

_BEDROCK_HOST = re.compile(r"bedrock-runtime\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A GET request. If `lists_models` is false, only the status of the response is checked."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    lists_models: bool = True


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """The requests of a probe, in order; `caveat` describes what they cannot verify.

    `lists_all_models`: a model that is not listed does not exist. `accepts_any_response`: the address has no
    request that verifies the key.
    """

    requests: Sequence[ProbeRequest]
    caveat: str = ""
    lists_all_models: bool = True
    accepts_any_response: bool = False


def plan_probe(provider_type: ProviderType, url: str, key: str | None, at: datetime) -> ProbePlan:
    """Plan the requests that verify the connection and the key, and list the models.

    `at` is the time used in signatures.
    """
    match provider_type:
        case ProviderType.ANTHROPIC:
            headers = {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})
            return ProbePlan([ProbeRequest(f"{url.removesuffix('/v1')}/v1/models?limit=1000", headers)])
        case ProviderType.GEMINI:
            headers = {"x-goog-api-key": key} if key else {}
            request_url = f"{url.removesuffix('/v1beta')}/v1beta/models?pageSize=1000"
            return ProbePlan([ProbeRequest(request_url, headers)])
        case ProviderType.AZURE:
            return _plan_azure(url, key)
        case ProviderType.BEDROCK:
            return _plan_bedrock(url, key, at)
        case ProviderType.OPENROUTER:
            # The list of models is public; only /key verifies the key.
            verify_key = ProbeRequest(f"{url}/key", _bearer_header(key), lists_models=False)
            return ProbePlan([verify_key, ProbeRequest(f"{url}/models", _bearer_header(key))])
        case _:
            return ProbePlan([ProbeRequest(f"{url}/models", _bearer_header(key))])


def _bearer_header(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _plan_azure(url: str, key: str | None) -> ProbePlan:
    base = httpx.URL(url)
    version = base.params.get(API_VERSION, AZURE_API_VERSION)
    models_url = base.copy_with(path="/openai/models", query=None).copy_set_param(API_VERSION, version)
    return ProbePlan(
        [ProbeRequest(str(models_url), {"api-key": key} if key else {})],
        caveat="Azure lists the models of the region, not your deployments, which were not tested.",
        lists_all_models=False,
    )


def _plan_bedrock(url: str, key: str | None, at: datetime) -> ProbePlan:
    match = _BEDROCK_HOST.fullmatch(httpx.URL(url).host)
    if match is None:
        return ProbePlan(
            [ProbeRequest(url, lists_models=False)],
            caveat="Only the connection was tested; the key was not verified.",
            lists_all_models=False,
            accepts_any_response=True,
        )
    region = match["region"]
    models_url = f"https://bedrock.{region}.amazonaws.com/foundation-models"
    headers: Mapping[str, str] = {}
    if key:
        key_id, secret, token = (*key.split(":"), None)[:3]
        headers = build_signed_headers(
            models_url,
            key_id=str(key_id),
            secret=str(secret),
            token=token,
            region=region,
            service="bedrock",
            at=at,
        )
    return ProbePlan(
        [ProbeRequest(models_url, headers)],
        caveat="Amazon lists the models of the region; your account may not have access to all of them.",
        lists_all_models=False,
    )
