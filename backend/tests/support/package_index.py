"""A package index on this machine, and wheels with any content."""

import base64
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class PackageIndex:
    """Files by package. `requests` are the paths that were asked for."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def add(self, package: str, name: str, content: bytes) -> None:
        self.files.setdefault(package, {})[name] = content

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and content of a page or file of the index."""
        self.requests.append(path)
        _, _, package, name, *_ = [*path.split("/"), "", ""]
        files = self.files.get(package)
        if files is None:
            return None
        if name:
            return ("application/octet-stream", files[name]) if name in files else None
        links = "".join(
            f'<a href="{file}#sha256={hashlib.sha256(content).hexdigest()}">{file}</a>'
            for file, content in files.items()
        )
        return "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()


@contextmanager
def serve_index() -> Iterator[PackageIndex]:
    """Serve an index on a free port of the loopback interface."""
    index = PackageIndex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = index.find(self.path)
            kind, content = found or ("text/plain", b"not found")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - the name is given

        def log_message(self, *_arguments: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def build_wheel(
    name: str, files: Mapping[str, str], *, metadata: str = "", modes: Mapping[str, int] | None = None
) -> bytes:
    """Return a wheel of version 1.0. `files` may have any paths; `modes` are the modes of some of them."""
    info = f"{name}-1.0.dist-info"
    all_files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in all_files.items())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in {**all_files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (modes or {}).get(path, 0o100644) << 16
            archive.writestr(entry, text)
    return packed.getvalue()


BACKEND = """
import json, os, zipfile

def build_wheel(folder, settings=None, metadata=None):
    report = attack(folder)
    name, info = "{name}-1.0-py3-none-any.whl", "{name}-1.0.dist-info"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("{name}/__init__.py", "")
        wheel.writestr("{name}/report.json", json.dumps(report))
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n{metadata}")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name

"""
"""A backend that makes a wheel of version 1.0 with the result of `attack(folder)` in `report.json`."""
NO_ATTACK = "def attack(folder):\n    return {}\n"


def list_source_files(name: str, attack: str = NO_ATTACK, *, metadata: str = "") -> dict[str, str]:
    """Return the files of a package that has to be built; `attack` is the code of a function of that name."""
    backend = BACKEND.replace("{name}", name).replace("{metadata}", metadata.replace("\n", "\\n")) + attack
    settings = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    return {"pyproject.toml": settings, "backend.py": backend, "PKG-INFO": f"Name: {name}\nVersion: 1.0\n"}


def pack_source(files: Mapping[str, str], folder: str) -> bytes:
    """Return a source distribution."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
