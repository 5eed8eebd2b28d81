"""Hashes of passwords, by argon2id."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH = 12, 200
_AT_ONCE = 2
"""A hash takes 64 MiB and most of a core for some 50 ms; others wait."""


class Passwords:
    """Hashes and verifies passwords in threads, a few at once.

    An unknown account is verified against a hash of nothing: it takes as long as a known one.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, _encode(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is that of the hash; never for an account without one."""
        async with self._places:
            is_right = await asyncio.to_thread(self._verify, password_hash, password)
        return is_right and password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        unknown = _hash_of_unknown_account()
        try:
            return self._hasher.verify(password_hash or unknown, _encode(password))
        except (VerificationError, InvalidHashError):
            return False


def _encode(password: str) -> bytes:
    """Return the bytes of a password, which may be any JSON text: half a surrogate pair, for example."""
    return password.encode("utf-8", "surrogatepass")


@cache
def _hash_of_unknown_account() -> str:
    return PasswordHasher().hash("no account has this password")
