"""Generated requests never cause server errors or undeclared responses."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.conftest import SeededWorkspaces, ServerPool
from tests.contract.operations import DOCUMENT
from tests.support.database import BACKENDS
from tests.support.server_process import API_KEY

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
api = schemathesis.openapi.from_dict(DOCUMENT)


@schemathesis.serializer("application/x-protobuf")
def serialize_protobuf(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Bytes as generated: nearly all of them are no message."""
    return value.data if hasattr(value, "data") else bytes(str(value), "utf-8")


@api.given(existing=st.sampled_from(["none", "data", "code"]))
@api.parametrize()
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_responses_conform_to_the_document(
    case: schemathesis.Case, existing: str, servers: ServerPool, seeded_workspaces: SeededWorkspaces
) -> None:
    """Sends each generated request to both databases: generating one takes longer than answering it."""
    path_parameters, body = dict(case.path_parameters), case.body
    for product in (servers[backend] for backend in BACKENDS):
        token = API_KEY
        if existing != "none":
            workspace = seeded_workspaces.of(product)
            # The stream of a run elsewhere, which has not ended, does not end either.
            of_code = existing == "code" and not case.path.endswith("/stream")
            case.path_parameters = workspace.fill_path(case.method, path_parameters, of_code=of_code)
            case.body = workspace.fill_body(body)
            if of_code and case.path.endswith("/v1/traces"):
                token = workspace.code.grant_token

        response = case.call(
            base_url=product.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            allow_redirects=False,
        )

        case.validate_response(response, checks=CHECKS)
        if case.path.endswith("/workspace/quotas"):  # low ones would refuse what later requests start
            reset = {"headers": {"Authorization": f"Bearer {API_KEY}"}, "timeout": 30}
            httpx.put(f"{product.url}/api/v1/workspace/quotas", json={}, **reset).raise_for_status()
