"""AWS Signature Version 4 for a GET without a body: enough to ask Bedrock which models it has. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY_BODY = hashlib.sha256(b"").hexdigest()


def signed_headers(
    url: str, *, key_id: str, secret: str, token: str | None, region: str, service: str, at: datetime
) -> Mapping[str, str]:
    """Headers that sign `GET url` (a URL without a query) at a moment in UTC."""
    parts = urlsplit(url)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-amz-date": stamp}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"GET\n{parts.path or '/'}\n\n{lines}\n{names}\n{_EMPTY_BODY}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _hmac(_signing_key(secret, scope), f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}").hex()
    credential = f"Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"{ALGORITHM} {credential}"}


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
