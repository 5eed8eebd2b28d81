"""Attacks on signing in at an issuer: forged tokens, stolen and mixed up answers, takeover of accounts."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crewai_runner.core.clock import now
from crewai_runner.features.identities import attempts
from tests.features.identities.conftest import SingleSignOn, read_slug
from tests.support.issuers import TestIssuers

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INVALID = "410 sign-in-attempt-invalid"


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/me")).status_code == 200


class TestForgedTokens:
    @pytest.mark.parametrize(
        ("claims", "header"),
        [
            ({"nonce": "of-another-sign-in"}, {}),
            ({"nonce": None}, {}),
            ({"iss": "https://evil.example.org"}, {}),
            ({"aud": "another-application"}, {}),
            ({"aud": ["crewai-runner", "another-application"]}, {}),
            ({"azp": "another-application"}, {}),
            ({"exp": 1_000_000_000}, {}),
            ({"iat": 1_000_000_000}, {}),
            ({"iat": 99_999_999_999}, {}),
            ({"at_hash": "of-another-access-token"}, {}),
            ({"at_hash": None}, {}),
            ({"sub": ""}, {}),
            ({"sub": "a\x00b"}, {}),
            ({}, {"alg": "none"}),
            ({}, {"alg": "HS256"}),
            ({}, {"alg": "PS256"}),
            ({}, {"kid": "unknown"}),
        ],
    )
    async def test_is_refused(
        self,
        sso: SingleSignOn,
        browser: httpx.AsyncClient,
        ann: str,
        claims: dict[str, Any],
        header: dict[str, str],
    ) -> None:
        url = await sso.begin(browser)
        answer = await sso.issuers.one.answer(url, ann)
        sso.issuers.one.forge(claims, **header)

        assert read_slug(await sso.finish(browser, answer)) == "403 id-token-invalid"
        assert not await is_signed_in(browser)

    async def test_the_hash_of_the_access_token_is_accepted(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        answer = await sso.issuers.one.answer(await sso.begin(browser), ann)
        sso.issuers.one.forge({"at_hash": True})

        assert (await sso.finish(browser, answer)).status_code == 201

    async def test_signed_with_the_public_key_as_a_secret(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The classic confusion of algorithms: the published key is used as the secret of an HMAC."""
        url = await sso.begin(browser)
        answer = await sso.issuers.one.answer(url, ann)
        client = sso.container.identities.issuers.get("one").client
        [key] = await client.read_keys(None)
        nonce = httpx.URL(url).params["nonce"]
        moment = int(now().timestamp())
        claims = {"iss": sso.issuers.one.url, "aud": "crewai-runner", "sub": ann, "nonce": nonce}
        claims |= {"iat": moment, "exp": moment + 60, "groups": ["owners"]}
        header = {"alg": "HS256", "kid": key["kid"], "typ": "JWT"}
        signed = ".".join(_encode(part) for part in (header, claims))
        signature = hmac.new(json.dumps(key).encode(), signed.encode(), hashlib.sha256).digest()
        forged = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        exchange = client.exchange_code

        async def exchange_for_forged(*arguments: Any) -> Any:
            return (await exchange(*arguments)).model_copy(update={"id_token": forged})

        monkeypatch.setattr(client, "exchange_code", exchange_for_forged)

        assert read_slug(await sso.finish(browser, answer)) == "403 id-token-invalid"


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


class TestAnswers:
    async def test_a_code_works_once(self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str) -> None:
        url = await sso.begin(browser)
        cookies = httpx.Cookies(browser.cookies)
        answer = await sso.issuers.one.answer(url, ann)
        assert (await sso.finish(browser, answer)).status_code == 201

        async with sso.browser() as thief:
            thief.cookies = cookies
            assert read_slug(await sso.finish(thief, answer)) == INVALID

    async def test_a_code_of_another_attempt_is_refused(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        first, second = [await sso.issuers.one.answer(await sso.begin(browser), ann) for _ in range(2)]

        assert read_slug(await sso.finish(browser, first | {"state": second["state"]})) == INVALID

    async def test_an_answer_works_in_no_other_browser(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        """Otherwise someone could sign a visitor in to an account of theirs."""
        answer = await sso.issuers.one.answer(await sso.begin(browser), ann)

        async with sso.browser() as victim:
            await sso.begin(victim)
            assert read_slug(await sso.finish(victim, answer)) == INVALID

    @pytest.mark.parametrize("path", ["/sign-in/issuer", "/sign-in/issuer/callback"])
    async def test_other_sites_cannot_send_requests(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, path: str
    ) -> None:
        browser.headers["Sec-Fetch-Site"] = "cross-site"
        body = {"issuer": "one", "code": "c", "state": "s"}
        sent = body if path.endswith("callback") else {"issuer": "one"}

        assert read_slug(await browser.post(path, json=sent)) == "403 cross-site-request"

    async def test_a_session_that_was_planted_ends(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.create_person("mallory@example.org", "viewer")
        await sso.sign_in(browser, "mallory@example.org")
        planted = httpx.Cookies(browser.cookies)

        await sso.enter(browser, ann)

        async with sso.browser() as mallory:
            mallory.cookies = planted
            assert not await is_signed_in(mallory)
        assert (await browser.get("/me")).json()["name"] == "Ann"

    async def test_an_attempt_expires(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = await sso.issuers.one.answer(await sso.begin(browser), ann)
        monkeypatch.setattr(attempts, "now", lambda: now() + timedelta(minutes=11))

        assert read_slug(await sso.finish(browser, answer)) == INVALID

    @pytest.mark.parametrize(
        "path", ["https://evil.example.org", "//evil.example.org", "/\\evil.example.org", "/sign-in", "x"]
    )
    async def test_the_next_page_is_one_of_the_dashboard(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, path: str
    ) -> None:
        assert (await sso.enter(browser, ann, next=path)).json()["next"] == "/"


class TestMixUp:
    """An issuer that was taken over must not receive or replace the answers of another one."""

    @pytest.mark.parametrize("named", [None, "https://evil.example.org"])
    async def test_an_answer_must_name_its_issuer(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, named: str | None
    ) -> None:
        answer = await sso.issuers.one.answer(await sso.begin(browser), ann)
        rest = {name: value for name, value in answer.items() if name != "iss"}
        changed = rest if named is None else rest | {"iss": named}

        assert read_slug(await sso.finish(browser, changed)) == INVALID

    async def test_an_attempt_belongs_to_its_issuer(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        answer = await sso.issuers.one.answer(await sso.begin(browser, "one"), ann)

        assert read_slug(await sso.finish(browser, answer, "two")) == INVALID

    async def test_each_issuer_has_its_own_redirect_uri(
        self, sso: SingleSignOn, browser: httpx.AsyncClient
    ) -> None:
        uris = {httpx.URL(await sso.begin(browser, name)).params["redirect_uri"] for name in ("one", "two")}

        assert len(uris) == 2

    async def test_issuers_with_the_same_subject_are_two_people(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann, "one")
        issuers.two.set_account("ann", email="other@example.org", email_verified=True, groups=["owners"])

        await sso.enter(browser, ann, "two")

        assert len((await sso.get("/people")).json()["people"]) == 2


class TestTakeover:
    """`one` may not link accounts by their address, `two` may, if it has verified the address."""

    async def test_a_verified_address_is_not_enough_by_default(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.create_person("ann@example.org", "owner")

        assert read_slug(await sso.enter(browser, ann, "one")) == "409 account-exists"

    @pytest.mark.parametrize("verified", [False, None, "no", 2])
    async def test_an_unverified_address_signs_in_to_nothing(
        self,
        sso: SingleSignOn,
        browser: httpx.AsyncClient,
        issuers: TestIssuers,
        ann: str,
        verified: object,
    ) -> None:
        await sso.create_person("ann@example.org", "owner")
        issuers.two.set_account("ann", email="ann@example.org", email_verified=verified, groups=["owners"])

        assert read_slug(await sso.enter(browser, ann, "two")) == "403 email-not-verified"
        assert not await is_signed_in(browser)

    async def test_an_unverified_address_creates_no_account_to_wait_in(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, issuers: TestIssuers, ann: str
    ) -> None:
        issuers.one.set_account("ann", email="victim@example.org", groups=["owners"])

        assert read_slug(await sso.enter(browser, ann, "one")) == "403 email-not-verified"
        assert (await sso.get("/people")).json()["people"] == []

    async def test_a_trusted_issuer_signs_in_to_the_account_of_a_verified_address(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        person_id = await sso.create_person("ann@example.org", "owner")

        await sso.enter(browser, ann, "two")

        assert (await browser.get("/me")).json()["personId"] == person_id
