"""Paths that tests share."""

from pathlib import Path

NO_DASHBOARD = Path(__file__).parent / "no-dashboard"
"""A folder without a build: whether a dashboard happens to be built here changes no test of the API."""
