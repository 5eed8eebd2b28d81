"""Who may send: published examples, other people's libraries' formats, and attacks."""

import hashlib
import hmac

import pytest

from crewai_runner.core.webhook_signature import sign
from crewai_runner.features.triggers import signatures
from crewai_runner.features.triggers.signatures import SignatureKind, find_delivery_id, is_authentic

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = 1_614_265_330
BODY = b'{"test": 2432232314}'


def digest(content: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def make_headers(kind: SignatureKind, body: bytes = BODY, at: int = AT) -> dict[str, str]:
    match kind:
        case SignatureKind.BEARER:
            return {"authorization": f"Bearer {SECRET}"}
        case SignatureKind.STANDARD_WEBHOOKS:
            return dict(sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body))
        case SignatureKind.GITHUB:
            return {"x-hub-signature-256": "sha256=" + digest(body)}
        case SignatureKind.STRIPE:
            return {"stripe-signature": f"t={at},v1={'0' * 64},v1={digest(f'{at}.'.encode() + body)},v0=x"}
        case SignatureKind.SLACK:
            signature = "v0=" + digest(f"v0:{at}:".encode() + body)
            return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


TIMED = [SignatureKind.STANDARD_WEBHOOKS, SignatureKind.STRIPE, SignatureKind.SLACK]
SIGNED = [*TIMED, SignatureKind.GITHUB]


class TestPublishedExamples:
    def test_github(self) -> None:
        signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        headers = {"x-hub-signature-256": signature}

        assert is_authentic(SignatureKind.GITHUB, "It's a Secret to Everybody", headers, b"Hello, World!", AT)

    def test_standard_webhooks(self) -> None:
        headers = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": str(AT),
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

        assert is_authentic(SignatureKind.STANDARD_WEBHOOKS, SECRET, headers, BODY, AT)

    def test_slack(self) -> None:
        body = (
            b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
            b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        )
        headers = {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        }

        assert is_authentic(
            SignatureKind.SLACK, "8f742231b10e8888abcd99yyyzzz85a5", headers, body, 1_531_420_618
        )


class TestAttacks:
    @pytest.mark.parametrize("kind", SignatureKind)
    def test_right_and_wrong(self, kind: SignatureKind) -> None:
        headers = make_headers(kind)

        assert is_authentic(kind, SECRET, headers, BODY, AT)
        assert not is_authentic(kind, SECRET + "x", headers, BODY, AT)
        assert not is_authentic(kind, SECRET, {}, BODY, AT)
        assert not is_authentic(kind, SECRET, dict.fromkeys(headers, ""), BODY, AT)
        assert not is_authentic(kind, SECRET, dict.fromkeys(headers, "\xff ünï, t=1,v1=é"), BODY, AT)

    @pytest.mark.parametrize("kind", SIGNED)
    def test_another_body(self, kind: SignatureKind) -> None:
        assert not is_authentic(kind, SECRET, make_headers(kind), BODY + b" ", AT)

    @pytest.mark.parametrize("kind", TIMED)
    @pytest.mark.parametrize(("late", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
    def test_time(self, kind: SignatureKind, late: int, accepted: bool) -> None:
        assert is_authentic(kind, SECRET, make_headers(kind), BODY, AT + late) is accepted

    @pytest.mark.parametrize("time", ["", "-1", "1e9", "٣", "9" * 400, " 1614265330", "1614265330.0"])
    def test_malformed_time(self, time: str) -> None:
        headers = make_headers(SignatureKind.SLACK) | {"x-slack-request-timestamp": time}

        assert not is_authentic(SignatureKind.SLACK, SECRET, headers, BODY, AT)

    def test_signatures_are_compared_in_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[bytes] = []

        def compare(offered: bytes, expected: bytes) -> bool:
            compared.append(expected)
            return offered == expected

        monkeypatch.setattr(f"{signatures.__name__}.hmac.compare_digest", compare)
        for kind in SignatureKind:
            compared.clear()
            assert is_authentic(kind, SECRET, make_headers(kind), BODY, AT)
            assert compared, kind


class TestDeliveryId:
    @pytest.mark.parametrize(
        ("kind", "headers", "document", "expected"),
        [
            (SignatureKind.BEARER, {}, {}, None),
            (SignatureKind.BEARER, {"idempotency-key": "one"}, {}, "one"),
            (SignatureKind.STANDARD_WEBHOOKS, {"webhook-id": "msg_1"}, {}, "msg_1"),
            (SignatureKind.STRIPE, {}, {"id": "evt_1"}, "evt_1"),
            (SignatureKind.SLACK, {}, {"event_id": "Ev1"}, "Ev1"),
        ],
    )
    def test_of_sender(
        self, kind: SignatureKind, headers: dict[str, str], document: dict[str, object], expected: str | None
    ) -> None:
        assert find_delivery_id(kind, headers, document, BODY) == expected  # type: ignore[arg-type]

    def test_github_cannot_be_replayed_under_another_id(self) -> None:
        one, other = (
            find_delivery_id(SignatureKind.GITHUB, {"x-github-delivery": name}, {}, BODY) for name in "ab"
        )

        assert one == other == hashlib.sha256(BODY).hexdigest()
