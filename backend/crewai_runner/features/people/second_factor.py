"""Time-based one-time passwords (RFC 6238) and recovery codes."""

import hashlib
import hmac
import secrets

import pyotp

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.features.people.repository import AccountRepository

ISSUER = "CrewAI Runner"
STEP_SECONDS = 30
ACCEPTED_STEPS = (0, -1, 1)
"""The current step and its neighbours, for clocks that differ."""
RECOVERY_CODES = 10
CODE_DIGITS = 6


def find_step(secret: str, code: str, after: int) -> int | None:
    """Return the 30-second step that a code belongs to; None if it is wrong, or not later than `after`.

    A code of a step that was accepted before is refused: it may have been watched.
    """
    current = int(now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for offset in ACCEPTED_STEPS:
        step = current + offset
        if step > after and hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def make_uri(secret: str, email: str) -> str:
    """Return the `otpauth://` address for a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def new_recovery_codes() -> list[str]:
    """Return codes such as `k3f9-2hqm-x7tb`, of 60 random bits each."""
    alphabet = "23456789abcdefghijkmnpqrstuvwxyz"
    return [
        "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))
        for _ in range(RECOVERY_CODES)
    ]


def hash_recovery_code(code: str) -> str:
    plain = code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(f"crewai-runner recovery code\0{plain}".encode()).hexdigest()


class SecondFactor:
    """Checks the codes of a person whose second factor is confirmed."""

    def __init__(self, accounts: AccountRepository, cipher: SecretCipher) -> None:
        self._accounts, self._cipher = accounts, cipher

    async def accept(self, person: PersonRow, code: str) -> bool:
        """Whether the code is right; it is not accepted a second time. The row must be locked."""
        digits = code.replace(" ", "")
        if len(digits) == CODE_DIGITS and digits.isdecimal():
            step = find_step(self.read_secret(person), digits, person.totp_last_step)
            if step is None:
                return False
            person.totp_last_step = step
            return True
        return await self._accounts.take_recovery_code(person.id, hash_recovery_code(code))

    def read_secret(self, person: PersonRow) -> str:
        """Return the decrypted secret. Raises SecretUnreadable."""
        if person.sealed_totp_secret is None:
            raise SecretUnreadable("The person has no second factor.")
        return self._cipher.decrypt(person.sealed_totp_secret)
