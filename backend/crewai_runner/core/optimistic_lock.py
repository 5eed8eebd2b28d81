"""Optimistic locking: whoever saves says which version they saw."""

from crewai_runner.core.errors import StaleVersion


def check_version(current: int, expected: int | None) -> None:
    """Raise StaleVersion when the caller saw another version; None = did not say."""
    if expected is not None and expected != current:
        raise StaleVersion(
            f"This was changed meanwhile: you saw version {expected}, it is at {current}. Load it again.",
            version=current,
        )
