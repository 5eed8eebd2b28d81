"""Masks the provider's key in the bytes that go back to the code, wherever they are cut."""

from collections.abc import Iterable

_MASK = b"[secret]"
_MIN_LENGTH = 6
"""A shorter key, such as `none`, may be an ordinary word."""


class KeyMask:
    """Replaces secrets in a stream of bytes. Holds back only what may be the beginning of a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {secret.encode() for secret in secrets}
        self._secrets = sorted((one for one in found if len(one) >= _MIN_LENGTH), key=len, reverse=True)
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes that can be sent now."""
        data = self._replace(self._kept + data)
        keep = max((_overlap(data, secret) for secret in self._secrets), default=0)
        self._kept = data[len(data) - keep :]
        return data[: len(data) - keep]

    def finish(self) -> bytes:
        """Return the rest."""
        rest, self._kept = self._kept, b""
        return rest

    def mask(self, data: bytes) -> bytes:
        """Return complete bytes without secrets."""
        return self.feed(data) + self.finish()

    def _replace(self, data: bytes) -> bytes:
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, _MASK)
        return data


def _overlap(data: bytes, secret: bytes) -> int:
    """Return the length of the longest end of `data` that is a beginning of `secret`."""
    tail = data[1 - len(secret) :]
    at = tail.find(secret[:1])
    while at >= 0:
        if secret.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(secret[:1], at + 1)
    return 0
