"""Every resource with an ETag can be read conditionally, and its operation says so."""

from http import HTTPStatus

import pytest

from tests.contract.operations import OPERATIONS, fill_path
from tests.contract.seeded_workspace import SeededWorkspace
from tests.support.server_process import ServerProcess

pytestmark = [
    pytest.mark.process,
    pytest.mark.crew,
    pytest.mark.parametrize("product", ["sqlite"], indirect=True),
]


def test_reading_again_gives_304(product: ServerProcess, workspace: SeededWorkspace) -> None:
    documented, tagged = set(), set()
    with product.client() as client:
        for method, path, operation in OPERATIONS:
            if method != "GET" or not path.startswith("/api/"):
                continue
            if any(parameter["name"] == "if-none-match" for parameter in operation.get("parameters", ())):
                documented.add(path)
                assert "304" in operation["responses"]
            names = {parameter["name"]: "1" for parameter in operation.get("parameters", ())}
            url = fill_path(path, workspace.fill_path(method, names))
            with client.http.stream("GET", url) as response:
                tag = response.headers.get("ETag")
            if tag is None:
                continue
            tagged.add(path)
            again = client.http.get(url, headers={"If-None-Match": f'"other", W/{tag}'})
            assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b""), path
            assert again.headers["ETag"] == tag

    assert tagged == documented
    assert len(tagged) >= 5
