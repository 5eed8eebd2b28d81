"""What every service of both Compose files must set; `make test-compose` tests it in real containers."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.deploy.test_nginx import NGINX, ROOT

FILES = ("docker-compose.yml", "docker-compose.dev.yml")
DOCKERFILES = ("backend/Dockerfile", "nginx/Dockerfile")


def load(file: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
    return document


SERVICES = [
    pytest.param(file, name, service, id=f"{file}-{name}")
    for file in FILES
    for name, service in load(file)["services"].items()
]


def neighbours(service: str) -> set[str]:
    """The services that share a network with this one."""
    services = load("docker-compose.yml")["services"]
    own = set(services[service]["networks"])
    return {name for name, other in services.items() if own & set(other.get("networks", ()))} - {service}


@pytest.mark.parametrize(("file", "name", "service"), SERVICES)
class TestService:
    def test_is_hardened(self, file: str, name: str, service: dict[str, Any]) -> None:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "pid", "ipc"} & set(service)
        if name == "sandbox":
            # It becomes a user without rights for each command; see ADR-0028.
            assert (service["cap_add"], service["user"]) == (["SETUID", "SETGID"], "0:0")
            assert service["network_mode"] == "none"
        else:
            assert not {"cap_add", "network_mode"} & set(service)

    def test_is_bounded(self, file: str, name: str, service: dict[str, Any]) -> None:
        assert {"mem_limit", "pids_limit", "cpus"} <= set(service)
        # Docker refuses more than the machine has.
        assert re.fullmatch(r"1|\$\{[A-Z]+_CPUS:-1\}", str(service["cpus"]))
        for mount in service.get("tmpfs", []):
            assert re.search(r"[:,]size=\d+[mg]", mount), f"{mount} has no size"

    def test_publishes_on_loopback_only_except_for_nginx(
        self, file: str, name: str, service: dict[str, Any]
    ) -> None:
        public = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]

        assert public == (["${HTTP_PORT:-8080}:8080"] if name == "nginx" else [])

    def test_image_has_a_version(self, file: str, name: str, service: dict[str, Any]) -> None:
        if "build" in service:
            return
        tag = service["image"].removesuffix("}").rpartition(":")[2]

        assert re.search(r"\d", tag), f"{service['image']} names no version"


class TestProduction:
    def test_secrets_have_no_defaults(self) -> None:
        text = (ROOT / "docker-compose.yml").read_text()
        defaults = re.findall(r"\$\{\w*(?:PASSWORD|KEY|SECRET|TOKEN):?-([^}]+)\}", text)

        assert [default for default in defaults if not default.startswith("$")] == []
        for name in ("API_KEY", "POSTGRES_PASSWORD"):
            assert f"${{{name}:?" in text
        assert "GRAFANA_PASSWORD in .env" in " ".join(
            load("docker-compose.yml")["services"]["grafana"]["entrypoint"]
        )

    def test_containers_reach_only_what_they_need(self) -> None:
        assert neighbours("nginx") == {"api"}
        assert neighbours("postgres") == {"api", "worker"}
        assert neighbours("grafana") == {"prometheus", "api", "worker"}
        assert neighbours("ollama") == {"api", "worker"}
        networks = load("docker-compose.yml")["networks"]
        assert [networks[name]["internal"] for name in ("database", "monitoring")] == [True, True]

    def test_sandbox_has_neither_secrets_nor_data(self) -> None:
        services = load("docker-compose.yml")["services"]
        sandbox, worker = services["sandbox"], services["worker"]

        assert (sandbox.get("environment"), sandbox["secrets"]) == (None, [])
        assert "data:/data" not in sandbox["volumes"]
        assert "environments:/environments:ro" in sandbox["volumes"]
        assert {"environments:/environments", "sandbox:/run/crewai-runner"} <= set(worker["volumes"])

    def test_workers_get_the_retention_periods(self) -> None:
        environment = load("docker-compose.yml")["services"]["worker"]["environment"]

        for name in ("RUNS_KEPT_DAYS", "EVENTS_KEPT_DAYS"):
            assert environment[name] == f"${{{name}:-0}}"

    def test_api_trusts_the_network_of_nginx(self) -> None:
        document = load("docker-compose.yml")
        [address_range] = document["networks"]["front"]["ipam"]["config"]

        assert document["x-settings"]["TRUSTED_PROXIES"] == address_range["subnet"]
        members = [name for name, one in document["services"].items() if "front" in one.get("networks", ())]
        assert members == ["nginx", "api"]

    def test_no_service_runs_as_root(self) -> None:
        dockerfiles = {
            "nginx": "nginx/Dockerfile",
            "api": "backend/Dockerfile",
            "worker": "backend/Dockerfile",
        }
        # The sandbox has none of root's rights but to become other users.
        expected = {"sandbox"}
        users = {}
        for name, service in load("docker-compose.yml")["services"].items():
            text = (ROOT / dockerfiles[name]).read_text() if name in dockerfiles else ""
            users[name] = str(service.get("user") or re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1])

        assert {name for name, user in users.items() if user.split(":")[0] in ("root", "0")} == expected


class TestBaseImages:
    def test_each_is_named_by_a_variable_that_make_pins(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        pinned = re.search(r"for name in ([A-Z ]+); do", makefile[makefile.index("\npin-images:") :])
        composed = "".join((ROOT / file).read_text() for file in FILES)
        built = composed + "".join((ROOT / file).read_text() for file in DOCKERFILES)
        named = set(re.findall(r"\$\{(\w+)_IMAGE:-", composed))
        bases = re.findall(r"^ *FROM (\S+)", built, re.MULTILINE)

        assert pinned is not None
        assert set(pinned[1].split()) == named
        assert bases
        assert [one for one in bases if not re.fullmatch(r"\$+\{[A-Z]+_IMAGE\}", one)] == []

    def test_defaults_are_the_same_everywhere(self) -> None:
        texts = [(ROOT / file).read_text() for file in (*FILES, *DOCKERFILES)]
        defaults: dict[str, set[str]] = {}
        for text in texts:
            for name, image in re.findall(r"(?:\$\{|ARG )([A-Z]+)_IMAGE(?::-|=)([^}\s]+)", text):
                defaults.setdefault(name, set()).add(image)

        assert {name: images for name, images in defaults.items() if len(images) > 1} == {}

    def test_make_pin_images_writes_digests_and_keeps_the_rest(self, tmp_path: Path) -> None:
        docker = tmp_path / "bin" / "docker"
        docker.parent.mkdir()
        docker.write_text('#!/bin/sh\necho "sha256:digest-of-$6"\n')
        docker.chmod(0o755)
        (tmp_path / "docker-compose.yml").write_text((ROOT / "docker-compose.yml").read_text())
        (tmp_path / ".env").write_text("API_KEY=kept\nNGINX_IMAGE=nginx:old@sha256:old\n")
        environment = {**os.environ, "PATH": f"{docker.parent}:{os.environ['PATH']}"}

        for _ in range(2):
            subprocess.run(
                ["make", "-f", str(ROOT / "Makefile"), "pin-images"],
                cwd=tmp_path,
                env=environment,
                check=True,
                capture_output=True,
            )

        lines = (tmp_path / ".env").read_text().splitlines()
        images = load("docker-compose.yml")["services"]
        postgres = images["postgres"]["image"].removeprefix("${POSTGRES_IMAGE:-").removesuffix("}")
        assert lines[0] == "API_KEY=kept"
        assert f"POSTGRES_IMAGE={postgres}@sha256:digest-of-{postgres}" in lines
        assert sum(line.startswith("NGINX_IMAGE=") for line in lines) == 1
        assert len(lines) == 8


class TestNginxLimits:
    def locations(self) -> list[str]:
        text = (NGINX / "snippets" / "locations.conf").read_text()
        return re.findall(r"^location [^{]+\{.*?^\}", text, re.DOTALL | re.MULTILINE)

    def test_every_proxied_location_limits_connections_and_requests(self) -> None:
        stream = (NGINX / "snippets" / "stream.conf").read_text()
        for location in self.locations():
            if "snippets/proxy.conf" not in location:
                continue
            effective = location + (stream if "snippets/stream.conf" in location else "")
            assert "limit_conn " in effective, location
            assert "limit_req " in effective, location

    def test_no_body_is_written_to_a_file(self) -> None:
        proxy = (NGINX / "snippets" / "proxy.conf").read_text()

        assert "proxy_request_buffering off;" in proxy
        assert "proxy_max_temp_file_size 0;" in proxy
