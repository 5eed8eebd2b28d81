"""A file encrypted with a passphrase, written and read as a stream.

Header: magic, 16 bytes of salt. Then chunks of AES-256-GCM, each `CHUNK_BYTES` of text and a tag of 16 bytes;
the last one may be shorter. The key is derived with scrypt. A chunk's nonce is its number, and the associated
data of the last one differs: chunks cannot be changed, reordered or cut off without an error.
"""

import io
import os
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crewai_runner.operations.errors import OperationError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"CrewAI Runner encrypted backup 1\n"
CHUNK_BYTES = 1024**2
MIN_PASSPHRASE = 12
_SALT_BYTES, _TAG_BYTES = 16, 16
_MORE, _LAST = b"more", b"last"


def is_encrypted(file: BinaryIO) -> bool:
    """Return whether the file starts like an encrypted one; leaves it at its start."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


class EncryptingWriter(io.RawIOBase):
    """Encrypts what is written to it into another file, which stays open. `close` writes the last chunk."""

    def __init__(self, target: BinaryIO, passphrase: str) -> None:
        if len(passphrase) < MIN_PASSPHRASE:
            raise OperationError(f"The passphrase must have at least {MIN_PASSPHRASE} characters.")
        salt = os.urandom(_SALT_BYTES)
        self._target, self._cipher = target, _make_cipher(passphrase, salt)
        self._number, self._pending = 0, bytearray()
        target.write(MAGIC + salt)

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        self._pending += data
        while len(self._pending) > CHUNK_BYTES:  # the last chunk is never empty, except in an empty file
            self._write_chunk(bytes(self._pending[:CHUNK_BYTES]), _MORE)
            del self._pending[:CHUNK_BYTES]
        return memoryview(data).nbytes

    def close(self) -> None:
        if not self.closed:
            self._write_chunk(bytes(self._pending), _LAST)
        super().close()

    def _write_chunk(self, text: bytes, kind: bytes) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number), text, kind))
        self._number += 1


class DecryptingReader(io.RawIOBase):
    """Decrypts a file. Raises OperationError for a wrong passphrase and for a damaged or truncated file."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        source.seek(len(MAGIC))
        self._source, self._cipher = source, _make_cipher(passphrase, source.read(_SALT_BYTES))
        self._number, self._ready = 0, b""
        self._next = self._read_chunk()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        if not self._ready and self._next:
            self._ready = self._decrypt_next()
        size = min(len(view), len(self._ready))
        view[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _decrypt_next(self) -> bytes:
        chunk, self._next = self._next, self._read_chunk()
        try:
            text = self._cipher.decrypt(_nonce(self._number), chunk, _MORE if self._next else _LAST)
        except InvalidTag:
            raise OperationError(
                "The passphrase is wrong, or the encrypted backup is damaged or truncated."
            ) from None
        self._number += 1
        return text

    def _read_chunk(self) -> bytes:
        return self._source.read(CHUNK_BYTES + _TAG_BYTES)


def _make_cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(
        Scrypt(salt=salt.ljust(_SALT_BYTES), length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
    )


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
