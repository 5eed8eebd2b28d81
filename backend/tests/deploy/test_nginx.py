"""Lints the nginx configuration; `make test-compose` tests it in a real nginx."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NGINX = ROOT / "nginx"


def lint(file: Path) -> list[str]:
    gixy = Path(sys.executable).with_name("gixy")
    command = [str(gixy), "--format", "json", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(result.stdout)
    return [f"{one['plugin']}: {one['summary']}" for one in found]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A copy of the configuration as in the image, with includes that point to the copy."""
    for file in NGINX.rglob("*.conf"):
        target = tmp_path / file.relative_to(NGINX)
        target.parent.mkdir(exist_ok=True)
        text = file.read_text().replace("/etc/nginx/", f"{tmp_path}/")
        target.write_text(re.sub(r"include snippets/", f"include {tmp_path}/snippets/", text))
    (tmp_path / "mime.types").write_text("types { text/html html; }\n")
    return tmp_path


class TestNginxConfiguration:
    def test_no_findings(self, configuration: Path) -> None:
        assert lint(configuration / "nginx.conf") == []

    def test_no_findings_with_tls(self, configuration: Path) -> None:
        (configuration / "conf.d" / "tls.conf").write_text(
            (configuration / "optional" / "tls.conf").read_text()
        )

        assert lint(configuration / "nginx.conf") == []

    def test_no_redirect_is_built_from_the_host_header(self) -> None:
        redirects = [
            line.strip()
            for file in NGINX.rglob("*.conf")
            for line in file.read_text().splitlines()
            if re.match(r"\s*(return 30\d|rewrite|add_header (Location|Refresh)|proxy_redirect)\b", line)
        ]

        assert redirects
        assert [line for line in redirects if re.search(r"\$(host|http_host)\b", line)] == []
        tls = (NGINX / "optional" / "tls.conf").read_text()
        assert set(re.findall(r"server_name (.+);", tls)) == {"crews.example.org"}

    def test_linter_detects_a_planted_weakness(self, configuration: Path) -> None:
        conf = configuration / "conf.d" / "app.conf"
        conf.write_text(
            conf.read_text().replace("listen 8080", "add_header X-Split $uri;\n    listen 8080", 1)
        )

        assert lint(configuration / "nginx.conf") != []

    def test_every_api_path_is_limited_and_proxied(self) -> None:
        text = (NGINX / "snippets" / "locations.conf").read_text()
        locations = dict(re.findall(r"^location (\S+) \{\n(.+?)^\}", text, re.MULTILINE | re.DOTALL))

        for path in ("/api/", "/amp/", "/crewai_plus/", "/hooks/"):
            for part in ("limit_req zone=api", "limit_conn requests", "include snippets/proxy.conf"):
                assert part in locations[path], (path, part)

    def test_mcp_is_streamed(self) -> None:
        text = (NGINX / "snippets" / "locations.conf").read_text()
        [location] = re.findall(r"^location = /mcp \{\n(.+?)^\}", text, re.MULTILINE | re.DOTALL)

        assert "include snippets/stream.conf" in location
        assert "include snippets/proxy.conf" in location

    @pytest.mark.parametrize(
        "path",
        [
            "/api/projects",
            "/api/v1/projects/proj_1/versions",
            "/api/v1/workflows/wf_1/knowledge",
            "/api/runs/with-files",
            "/crewai_plus/api/v1/crews/zip",
            "/crewai_plus/api/v1/crews/proj_1/zip_update",
        ],
    )
    def test_uploads_of_projects_may_be_large(self, path: str) -> None:
        text = (NGINX / "snippets" / "locations.conf").read_text()
        [pattern] = re.findall(r"^location ~ (\S*zip_update\S*) \{", text, re.MULTILINE)

        assert re.search(pattern, path)
        assert not re.search(pattern, f"{path}/more")
