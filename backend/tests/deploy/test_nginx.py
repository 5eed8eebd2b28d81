"""nginx's settings, read by a linter; `make test-compose` runs them in a real nginx."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NGINX = ROOT / "nginx"


def findings(file: Path) -> list[str]:
    gixy = Path(sys.executable).with_name("gixy")
    command = [str(gixy), "--format", "json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)
    return [f"{one['plugin']}: {one['summary']}" for one in found]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The settings as the image has them, with includes that lead to this checkout."""
    for file in NGINX.rglob("*.conf"):
        target = tmp_path / file.relative_to(NGINX)
        target.parent.mkdir(exist_ok=True)
        text = file.read_text().replace("/etc/nginx/", f"{tmp_path}/")
        target.write_text(re.sub(r"include snippets/", f"include {tmp_path}/snippets/", text))
    (tmp_path / "mime.types").write_text("types { text/html html; }\n")
    return tmp_path


def test_the_proxys_settings_have_no_known_weakness(settings: Path) -> None:
    assert findings(settings / "nginx.conf") == []


def test_nor_have_those_for_tls(settings: Path) -> None:
    (settings / "conf.d" / "tls.conf").write_text((settings / "optional" / "tls.conf").read_text())

    assert findings(settings / "nginx.conf") == []


def test_a_weakness_would_be_found(settings: Path) -> None:
    conf = settings / "conf.d" / "app.conf"
    conf.write_text(conf.read_text().replace("listen 8080", "add_header X-Split $uri;\n    listen 8080", 1))

    assert findings(settings / "nginx.conf") != []
