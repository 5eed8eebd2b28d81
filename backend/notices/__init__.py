"""Writes the third-party notices from the lock files: `python -m notices` in backend/, or `make notices`."""
