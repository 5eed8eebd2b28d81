"""Optimistic locking by the version that the caller has seen."""

from crewai_runner.core.errors import StaleVersion


def check_version(current: int, expected: int | None) -> None:
    """Raise StaleVersion unless `expected` is the current version; None skips the check."""
    if expected is not None and expected != current:
        raise StaleVersion(
            f"This was changed in the meantime: expected version {expected}, current version {current}. "
            "Reload it.",
            version=current,
        )
