"""Stored keys: sealed when they come, masked everywhere from the moment they are known."""

from pydantic import SecretStr

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.sealing import Sealer

SHORTEST_SECRET_PART = 16


class Keyring:
    """Every key that passes through here is masked in logs, events and problems from then on."""

    def __init__(self, sealer: Sealer, mask: SecretMask) -> None:
        self._sealer = sealer
        self._mask = mask

    def note(self, key: SecretStr) -> SecretStr:
        """Mask a key that is used but not stored."""
        secret = key.get_secret_value()
        # Of a key in parts (`ID:SECRET:TOKEN`) the long ones are secrets by themselves.
        parts = [part for part in secret.split(":")[1:] if len(part) >= SHORTEST_SECRET_PART]
        for one in (secret, *parts):
            self._mask.add(one)
        return key

    def seal(self, key: SecretStr) -> str:
        return self._sealer.seal(self.note(key).get_secret_value())

    def unseal(self, sealed: str | None) -> SecretStr | None:
        """The key again, None when there is none. Raises SealBroken."""
        return None if sealed is None else self.note(SecretStr(self._sealer.unseal(sealed)))
