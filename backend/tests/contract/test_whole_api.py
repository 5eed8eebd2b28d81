"""Whatever is sent: no defect, no undeclared status, no answer of another shape than declared."""

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

from tests.contract.operations import DOCUMENT
from tests.contract.world import World
from tests.support.server_process import API_KEY, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
api = schemathesis.openapi.from_dict(DOCUMENT)


@api.given(real=st.booleans())
@api.parametrize()
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_declared(
    case: schemathesis.Case, real: bool, product: ServerProcess, world: World
) -> None:
    if real:
        case.path_parameters = world.place(case.method, dict(case.path_parameters))
        case.body = world.fill(case.body)

    response = case.call(
        base_url=product.url,
        headers={"Authorization": f"Bearer {API_KEY}"},
        timeout=30,
        allow_redirects=False,
    )

    case.validate_response(response, checks=CHECKS)
