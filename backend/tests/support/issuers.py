"""Real OpenID Connect issuers (`oidc-provider`), in a process of their own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

ROOT = Path(__file__).parents[3]
PUBLIC_URL = "http://127.0.0.1:9"
"""The address of the dashboard that the issuers know; nothing listens there."""
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TestIssuer:
    """One issuer: its accounts, and its page to sign in."""

    __test__ = False
    id: str
    url: str

    def set_account(self, login: str, **claims: Any) -> None:
        self.control("account", login=login, claims=claims)

    def delete_account(self, login: str) -> None:
        self.control("account", login=login, claims=None)

    def add_client(self, client_id: str, **metadata: Any) -> None:
        self.control("client", client_id=client_id, **metadata)

    def forge(self, claims: Claims, **header: str) -> None:
        """Change the next ID token; it is signed with the issuer's own key."""
        self.control("forge", claims=claims, header=header)

    def sign(self, claims: Claims, **header: str) -> str:
        return str(self.control("sign", claims=claims, header=header))

    def control(self, action: str, **body: Any) -> Any:
        response = httpx.post(f"{self.url}/_control/{action}", json=body, trust_env=False)
        assert response.status_code == 200, response.text
        return response.json()["answer"]

    async def answer(self, url: str, login: str) -> dict[str, str]:
        """Sign in at the issuer as a browser does; return what it adds to the address of the dashboard."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            response = await browser.get(url)
            for _ in range(10):
                if response.is_redirect:
                    target = urljoin(url, response.headers["location"])
                    if target.startswith(PUBLIC_URL):
                        return dict(parse_qsl(urlsplit(target).query))
                    response = await browser.get(target)
                else:
                    assert response.status_code == 200, response.text
                    response = await browser.post(response.url, data={"login": login})
        raise AssertionError(f"{url} leads nowhere")


@dataclass(frozen=True, slots=True)
class TestIssuers:
    """`one` has all claims in its ID tokens; `two` has them in its userinfo endpoint, and is trusted with
    e-mail addresses."""

    __test__ = False
    one: TestIssuer
    two: TestIssuer
    client_secret: str

    def get(self, issuer_id: str) -> TestIssuer:
        return {"one": self.one, "two": self.two}[issuer_id]

    def settings(self) -> dict[str, Any]:
        """The settings of a server that has both issuers."""
        shared = {
            "client_id": "crewai-runner",
            "client_secret": self.client_secret,
            "scopes": ["openid", "profile", "email", "groups"],
            "roles": [
                {"group": "readers", "role": "viewer"},
                {"group": "writers", "role": "editor"},
                {"group": "writers", "role": "viewer", "workspace": "ws_strangers"},
                {"group": "owners", "role": "owner"},
            ],
        }
        one = {"id": "one", "name": "First", "issuer": self.one.url, **shared}
        two = {"id": "two", "name": "Second", "issuer": self.two.url, "link_by_email": True, **shared}
        return {"public_url": PUBLIC_URL, "oidc_issuers": [one, two]}


@contextmanager
def run_issuers(public_url: str = PUBLIC_URL) -> Iterator[TestIssuers]:
    """Start the process; it ends with this one."""
    path = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")])
    node = shutil.which("node", path=path)
    assert node, "node is not installed: see the target `node` of the Makefile"
    process = subprocess.Popen(
        [node, "e2e/issuer.mjs", public_url],
        cwd=ROOT / "frontend",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the issuers did not start: is oidc-provider installed? (`make install`)"
        found = json.loads(line)
        yield TestIssuers(
            TestIssuer("one", found["one"]), TestIssuer("two", found["two"]), found["clientSecret"]
        )
    finally:
        process.terminate()
        process.communicate(timeout=10)
