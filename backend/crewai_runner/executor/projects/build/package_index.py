"""Reads a package index: which files a package has, and their contents. Nothing is executed."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed

PUBLIC_INDEX = "https://pypi.org/simple"
MAX_PAGE_BYTES = 32 * 1024**2
MAX_SOURCE_BYTES = 128 * 1024**2
TIMEOUT_SECONDS = 60.0
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file of a package. `sha256` is the index's promise; a file without one is not used."""

    name: str
    url: str
    sha256: str
    requires_python: str | None = None
    uploaded: date | None = None
    is_yanked: bool = False


class PackageIndex:
    """An index as in PEP 503 or PEP 691. `url` may have a user and a password, which no other host gets."""

    def __init__(self, url: str | None) -> None:
        address = httpx.URL(url or PUBLIC_INDEX)
        self._auth = (address.username, address.password) if address.userinfo else None
        self._url = address.copy_with(userinfo=b"")

    async def list_files(self, package: str) -> list[IndexFile]:
        """Return the files of a package, by its normalized name. Raises EnvironmentBuildFailed."""
        page = f"{str(self._url).rstrip('/')}/{package}/"
        content, kind = await self._fetch(page, MAX_PAGE_BYTES, {"Accept": _ACCEPT})
        files = await asyncio.to_thread(_read_json if "json" in kind else _read_html, content, page)
        return [file for file in files if _SHA256.fullmatch(file.sha256)]

    async def download(self, file: IndexFile, target: Path) -> None:
        """Write a file with the promised hash, of at most MAX_SOURCE_BYTES. Raises EnvironmentBuildFailed."""
        content, _ = await self._fetch(file.url, MAX_SOURCE_BYTES, {})
        await asyncio.to_thread(_write_checked, content, file, target)

    async def _fetch(self, url: str, limit: int, headers: dict[str, str]) -> tuple[bytes, str]:
        """Return the content at an address, and its type; nothing where the index has no such page."""
        is_ours = urlsplit(url)[:2] == (self._url.scheme, self._url.netloc.decode("ascii"))
        auth = self._auth if is_ours else None
        received = bytearray()
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=True) as client,
                client.stream("GET", url, headers=headers, auth=auth) as answer,
            ):
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return b"", ""
                answer.raise_for_status()
                async for data in answer.aiter_bytes():
                    received += data
                    if len(received) > limit:
                        raise _too_large(url, limit)
                return bytes(received), answer.headers.get("content-type", "")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            message = "The package index cannot be reached. Check INDEX_URL and the network."
            raise EnvironmentBuildFailed(BuildFailure.INDEX_UNREACHABLE, message) from error


def _write_checked(content: bytes, file: IndexFile, target: Path) -> None:
    if hashlib.sha256(content).hexdigest() != file.sha256:
        message = f"{file.name} is not the file that the package index describes: its hash differs."
        raise EnvironmentBuildFailed(BuildFailure.OTHER, message)
    target.write_bytes(content)


def _too_large(url: str, limit: int) -> EnvironmentBuildFailed:
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return EnvironmentBuildFailed(
        BuildFailure.TOO_LARGE, f"{name} on the package index has more than {limit // 1024**2} MiB."
    )


def _read_json(content: bytes, page: str) -> list[IndexFile]:
    try:
        listed = json.loads(content).get("files")
    except (ValueError, AttributeError, RecursionError):
        return []
    return [_read_entry(one, page) for one in listed or () if isinstance(one, dict)]


def _read_entry(entry: dict[str, Any], page: str) -> IndexFile:
    hashes, day = entry.get("hashes"), str(entry.get("upload-time", ""))[:10]
    try:
        uploaded = date.fromisoformat(day)
    except ValueError:
        uploaded = None
    requires = entry.get("requires-python")
    return IndexFile(
        name=str(entry.get("filename", "")),
        url=urljoin(page, str(entry.get("url", ""))),
        sha256=str(hashes.get("sha256", "")) if isinstance(hashes, dict) else "",
        requires_python=requires if isinstance(requires, str) else None,
        uploaded=uploaded,
        is_yanked=bool(entry.get("yanked")),
    )


def _read_html(content: bytes, page: str) -> list[IndexFile]:
    parser = _Links(page)
    parser.feed(content.decode("utf-8", "replace"))
    return parser.files


class _Links(HTMLParser):
    """Collects the links of a page of PEP 503."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.files: list[IndexFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "base" and values.get("href"):
            self.page = urljoin(self.page, values["href"] or "")
        if tag != "a" or not values.get("href"):
            return
        address, fragment = urldefrag(urljoin(self.page, values["href"] or ""))
        name = urlsplit(address).path.rpartition("/")[2]
        digest = fragment.partition("sha256=")[2].partition("&")[0]
        is_yanked = "data-yanked" in values
        self.files.append(
            IndexFile(name, address, digest, values.get("data-requires-python"), None, is_yanked)
        )
