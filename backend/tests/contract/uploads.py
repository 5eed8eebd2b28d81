"""Valid bodies of the operations that take a file."""

import json
from typing import Any

from tests.contract.seeded_workspace import DOCUMENT
from tests.support.projects import zip_project

RUN_FORM = (
    '--b\r\nContent-Disposition: form-data; name="run"\r\n\r\n'
    f"{json.dumps({'workflow': DOCUMENT})}\r\n"
    '--b\r\nContent-Disposition: form-data; name="files"; filename="facts.md"\r\n\r\n'
    "Tea is green.\r\n--b--\r\n"
).encode()
UPLOADS: dict[str, dict[str, Any]] = {
    "/api/v1/projects/{project_id}/versions": {
        "content": zip_project(),
        "headers": {"Content-Type": "application/zip"},
    },
    "/api/v1/workflows/{workflow_id}/knowledge": {
        "files": {"files": ("facts.md", b"Tea is green.", "text/markdown")}
    },
    "/api/v1/runs/with-files": {
        # Not as `files`: their boundary is another one each time, as if the body depended on ids.
        "content": RUN_FORM,
        "headers": {"Content-Type": "multipart/form-data; boundary=b"},
    },
    "/crewai_plus/api/v1/crews/{uuid}/zip_update": {
        "files": {"zip_file": ("project.zip", zip_project(), "application/zip")}
    },
}
