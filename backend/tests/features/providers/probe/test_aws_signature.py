"""AWS Signature Version 4, with Amazon's published test vectors."""

from datetime import UTC, datetime

from crewai_runner.features.providers.probe.aws_signature import build_signed_headers

AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEY = {
    "key_id": "AKIDEXAMPLE",
    "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "region": "us-east-1",
    "service": "service",
    "at": AT,
}


class TestSignedHeaders:
    def test_vanilla_get(self) -> None:
        headers = build_signed_headers("https://example.amazonaws.com/", token=None, **KEY)

        assert headers["authorization"] == (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        )

    def test_session_token_is_sent_and_signed(self) -> None:
        headers = build_signed_headers("https://example.amazonaws.com/", token="TOKEN", **KEY)

        assert headers["x-amz-security-token"] == "TOKEN"
        assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in headers["authorization"]
